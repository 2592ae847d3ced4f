"""Lock of a folder that one process at a time may write into."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from cytopress.errors import LockHeldError, StoreError


@contextmanager
def locked(folder: Path, name: str, doing: str) -> Iterator[None]:
    """Hold the lock of a folder; the system releases it when the process ends, however it ends.

    The folder is made if it is missing, and removed again if nothing was written into it.

    Parameters
    ----------
    folder : Path
        The folder.
    name : str
        Name of the lock's file in it.
    doing : str
        What another process does that holds it, such as "running a study".

    Raises
    ------
    LockHeldError
        Another process has the lock.
    StoreError
        The folder cannot be written.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made ({error.strerror}).") from error
    try:
        with closing(_lock(folder, name, doing)):
            yield
    finally:
        if missing and [one.name for one in folder.iterdir()] == [name]:
            with suppress(OSError):
                (folder / name).unlink()
                for one in missing:
                    one.rmdir()


def _lock(folder: Path, name: str, doing: str) -> sqlite3.Connection:
    # SQLite's lock works on every system, and ends with the process.
    connection = None
    try:
        connection = sqlite3.connect(folder / name, timeout=0, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        if "is locked" in str(error):
            raise LockHeldError(
                f"{folder}: another process is {doing} here; wait for it, or choose another folder."
            ) from error
        raise StoreError(
            f"{folder}: cannot be locked ({error}); choose a folder that you may write to, on a"
            " file system with locks."
        ) from error
    return connection
