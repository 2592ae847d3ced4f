"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; rename it there if the block ends without an error.

    Raises
    ------
    OSError
        The disk refused; it names ``path``, where it named nothing or the temporary file.
    """
    temporary = None
    try:
        # The suffix stays: writers choose the format by it.
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
    # A copy that fails names its source first, then what it was writing.
    name = error.filename if error.filename2 is None else error.filename2
    return name is None or Path(os.fsdecode(name)).parent.absolute() == folder.absolute()


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; rename it there if the block ends without an error.

    Where another process put one there in the meantime, that one stays and this one goes: both
    made the same from the same source.
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


def _umask() -> int:
    # Temporary names come private; the finished thing follows the user's umask.
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
