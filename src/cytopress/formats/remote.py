"""Images in buckets (``s3://``): paths through fsspec, and copies of files on the disk.

OME-Zarr is read in place, chunk by chunk. Libraries of other formats want a file of the disk, so
such a file is copied into the folder of temporary files of each process that reads it.
"""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, cast

from cytopress.digests import digest_text
from cytopress.errors import NotAvailableError, UsageError

# A Path of a URL has one slash.
URL = re.compile(r"s3:/{1,2}(?=[^/])")
# Bytes of copies that a process keeps, beside those that it reads.
KEPT = 2**31
_lock = threading.RLock()
_copies: dict[Path, int] = {}
_stamps: dict[Path, dict[str, tuple[int, int]]] = {}
_in_use: dict[Path, int] = {}


def path_of(name: str | Path) -> Path:
    """Return the path of a file or folder, or one of an ``s3://`` URL, which has the same methods.

    Credentials, region and endpoint come from where AWS's own tools look for them; where there are
    none, the bucket is taken for a public one.

    Raises
    ------
    NotAvailableError
        The extra s3 is not installed.
    """
    if is_remote(name) or not URL.match(str(name)):
        return Path(name) if isinstance(name, str) else name
    try:
        import s3fs  # noqa: F401
        from upath import UPath
    except ImportError:
        raise NotAvailableError("s3:// needs the extra s3: pip install 'cytopress[s3]'.") from None
    return cast("Path", UPath(URL.sub("s3://", str(name), count=1), **_options()))


def is_remote(path: str | Path) -> bool:
    """Return whether a path is of a bucket."""
    return hasattr(path, "fs")


@functools.cache
def _options() -> dict[str, Any]:
    from botocore.session import Session

    return {} if Session().get_credentials() is not None else {"anon": True}


def zarr_place(path: Path) -> Any:
    """Return what zarr-python opens for a path, for reading."""
    if not is_remote(path):
        return str(path)
    from zarr.storage import FsspecStore

    return FsspecStore.from_url(str(path), storage_options=_options(), read_only=True)


def remote_sizes(path: Path) -> dict[str, tuple[int, int]]:
    """Return the objects below a path: bytes, and nanoseconds of when each was written."""
    remote = cast("Any", path)
    # Else it is what an earlier answer said.
    remote.fs.invalidate_cache(remote.path)
    found = remote.fs.find(remote.path, detail=True)
    return {
        name: (int(one["size"]), int(one["LastModified"].timestamp() * 1e9))
        for name, one in found.items()
    }


def check_reached(path: Path) -> None:
    """Raise UsageError if there is nothing at a path, or its bucket cannot be reached."""
    try:
        there = path.exists()
    # The libraries below have errors of their own.
    except Exception as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise UsageError(f"{path}: cannot be reached ({reason}).") from error
    if not there:
        raise UsageError(f"{path}: there is no such file or folder.")


@contextmanager
def local_file(path: Path) -> Iterator[Path]:
    """Give a file of the disk: the path, or a copy of what lies in a bucket.

    Copies from one folder lie in one folder. They stay until the process ends or they are many.
    """
    if not is_remote(path):
        yield path
        return
    copy = _copied(path)
    try:
        yield copy
    finally:
        with _lock:
            _in_use[copy] -= 1


def _copied(path: Path) -> Path:
    """Return the copy of a file, made anew where the file has changed since."""
    remote = cast("Any", path)
    with _lock:
        copy = _folder() / digest_text(str(path.parent))[:16] / path.name
        stamp = remote_sizes(path)
        if _stamps.get(copy) != stamp or copy not in _copies:
            copy.parent.mkdir(exist_ok=True)
            # Whoever reads the one before keeps it open.
            copy.unlink(missing_ok=True)
            remote.fs.get_file(remote.path, str(copy))
        # The last one that was read is the last one to go.
        _copies.pop(copy, None)
        _copies[copy], _stamps[copy] = copy.stat().st_size, stamp
        _in_use[copy] = _in_use.get(copy, 0) + 1
        for old in [one for one in _copies if not _in_use[one]]:
            if sum(_copies.values()) > KEPT:
                del _copies[old]
                old.unlink(missing_ok=True)
        return copy


@functools.cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="cytopress-")
    # Of a worker process, too.
    Finalize(None, shutil.rmtree, (folder, True), exitpriority=0)
    return Path(folder)
