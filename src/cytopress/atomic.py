"""Atomic files and folders: they appear whole or not at all; pipes and devices are written to."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cytopress.errors import DatasetError

# As many as Linux follows.
MOST_LINKS = 40
# Temporary names begin so; what is left under them is of a process that was killed.
UNFINISHED = ".part-"


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; rename it there if the block ends without an error.

    A symbolic link stays: the file that it names is written. Into a pipe or a device, which a
    rename would replace by a file, the finished temporary file is copied.

    Raises
    ------
    OSError
        The file cannot be written. The error names ``path`` instead of the temporary file.
    """
    temporary = None
    path = _followed(path)
    special = is_special(path)
    folder = Path(tempfile.gettempdir()) if special else path.parent
    try:
        # Writers choose the format by the suffix.
        handle, name = tempfile.mkstemp(dir=folder, prefix=UNFINISHED, suffix=path.name[-100:])
        os.close(handle)
        temporary = Path(name)
        yield temporary
        if special:
            copy_into(temporary, path)
        else:
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
    except OSError as error:
        if error.errno is None or not _is_about(error, folder):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def is_special(path: Path) -> bool:
    """Whether a path names a pipe, a device or an open file of a process, links followed."""
    path = _followed(path)
    # What is a link still is one of /proc, to an open file.
    return path.is_symlink() or (path.exists() and not path.is_file() and not path.is_dir())


def copy_into(source: Path, path: Path) -> None:
    """Copy a file's bytes into a pipe, a character device or an open file of this process.

    Raises
    ------
    OSError
        It cannot be written, or is a disk, whose content would be lost.
    """
    path = _followed(path)
    if path.is_block_device():
        raise OSError(errno.EINVAL, "is a disk, which would be overwritten; name a file", str(path))
    with source.open("rb") as data, _opened(path) as out:
        shutil.copyfileobj(data, out)


def _opened(path: Path) -> BinaryIO:
    if path.is_symlink() and path.parent.resolve() == Path("/proc/self/fd").resolve():
        # Opened again, a redirected file would be truncated and written from its start.
        return os.fdopen(os.dup(int(path.name)), "wb")
    # Never creates a file: a pipe that has gone is an error.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_TRUNC), "wb")


def _followed(path: Path) -> Path:
    """Return the path that symbolic links lead to; links of /proc, to open files, are kept."""
    for _ in range(MOST_LINKS):
        if not path.is_symlink() or path.parent.resolve().is_relative_to("/proc"):
            return path
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _is_about(error: OSError, folder: Path) -> bool:
    # A failed copy names its source first, then the file that it wrote.
    name = error.filename if error.filename2 is None else error.filename2
    return name is None or Path(os.fsdecode(name)).parent.absolute() == folder.absolute()


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; rename it there if the block ends without an error.

    If another process created ``path`` in the meantime, its folder stays and this one is removed:
    both were made from the same source.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f"{UNFINISHED}{path.name}-"))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def resumable_folder(
    folder: Path, fill: Callable[[Path], None], find: Callable[[], Path | None]
) -> Path:
    """Fill ``folder``; an interrupted call is resumed by the next one.

    Two processes may call at once: the second waits for the first.

    Parameters
    ----------
    folder : Path
        The folder, which appears when it is complete.
    fill : callable
        Writes into the folder that it is given, which holds what an interrupted call wrote.
    find : callable
        Returns the complete folder, which may be another than ``folder``, or None.

    Raises
    ------
    DatasetError
        The folder cannot be written.
    """
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    # The operating system releases it when the process that holds it dies.
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if found := find():
            return found
        # Always the same name, so that the next call resumes in it.
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        try:
            fill(unfinished)
            # Files that a killed call left half written.
            for stray in unfinished.rglob(".*"):
                stray.unlink()
            unfinished.rename(folder)
        except OSError as error:
            raise DatasetError(f"{unfinished}: cannot be written ({error.strerror}).") from error
    return folder


def _umask() -> int:
    # Temporary files are private; the final one follows the user's umask.
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
