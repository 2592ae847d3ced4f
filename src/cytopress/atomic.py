"""Atomic files and folders: they appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cytopress.errors import DatasetError


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; rename it there if the block ends without an error.

    Raises
    ------
    OSError
        The file cannot be written. The error names ``path`` instead of the temporary file.
    """
    temporary = None
    try:
        # Writers choose the format by the suffix.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=path.name[-100:])
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        if error.errno is None or not _is_about(error, path.parent):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


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
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".part-{path.name}-"))
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
