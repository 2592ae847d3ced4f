"""Folders that take long to fill: filled over several calls, seen only when they are whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cytopress.errors import DatasetError
from cytopress.lock import locked


def filled_folder(
    folder: Path, fill: Callable[[Path], None], find: Callable[[], Path | None]
) -> Path:
    """Fill ``folder``, or go on where an earlier call stopped.

    Two processes may call at once: the second waits and finds it there.

    Parameters
    ----------
    folder : Path
        What appears when all is done.
    fill : callable
        Writes into the folder that it is given, which keeps what was written before.
    find : callable
        Tells where the finished folder is, which need not be ``folder``, or None.

    Raises
    ------
    DatasetError
        The disk refused.
    """
    with locked(folder.with_name(f".{folder.name}.lock")):
        if found := find():
            return found
        # Its name stays the same, so that the next call goes on in it.
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        try:
            fill(unfinished)
            # What a killed call left half written.
            for stray in unfinished.rglob(".*"):
                stray.unlink()
            unfinished.rename(folder)
        except OSError as error:
            raise DatasetError(f"{unfinished}: cannot be written ({error.strerror}).") from error
    return folder
