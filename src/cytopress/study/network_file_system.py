"""Network file systems, on which processes share files but no memory."""

from __future__ import annotations

from pathlib import Path

MOUNTS = Path("/proc/mounts")
NETWORK = (
    *("9p", "afs", "beegfs", "ceph", "cifs", "davfs", "drvfs", "glusterfs", "gpfs", "lustre"),
    *("ncpfs", "nfs", "nfs4", "orangefs", "panfs", "prl_fs", "pvfs2", "smb3", "smbfs", "sshfs"),
    *("vboxsf", "wekafs", "s3fs", "rclone", "gcsfuse", "vmhgfs-fuse", "juicefs"),
)


def network_file_system(folder: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the type of the network file system that holds a folder, such as ``nfs4``.

    None for a local disk, and where the system does not list what is mounted (only Linux does).
    """
    place = folder.resolve()
    if str(place).startswith("\\\\"):
        return "a Windows share"
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    found = ""
    longest = -1
    for line in lines:
        _, point, kind, *_ = line.split(" ")
        # Spaces and the like are octal in this table.
        root = point.encode("utf-8", "surrogateescape").decode("unicode_escape")
        # Of two in one place, the later one is seen.
        if place.is_relative_to(root) and len(root) >= longest:
            longest, found = len(root), kind
    return found if found.removeprefix("fuse.") in NETWORK else None
