"""Ledger: a file of JSON lines that is only appended to, so that an interrupted run can resume.

The first line is the plan, which says what the run is. Each line after it has a ``key``, which
names a task; the lines of a task are merged, later ones over earlier ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from cytopress.errors import StoreError

Row = Mapping[str, Any]


class Ledger:
    """Plan and rows of a run; from `opened`.

    Parameters
    ----------
    plan : mapping
        What the run is, as its first line says.
    rows : dict
        By key, what is known of each task.
    stream : file
        Where rows are appended.
    """

    def __init__(self, plan: Row, rows: dict[str, dict[str, Any]], stream: BinaryIO) -> None:
        self.plan = plan
        self.rows = rows
        self._stream = stream

    def add(self, *rows: Row) -> None:
        """Append rows, each with its ``key``; they are on the disk when this returns.

        Raises
        ------
        StoreError
            They cannot be written.
        """
        try:
            self._stream.write(b"".join(map(_line, rows)))
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise _unwritable(Path(self._stream.name), error) from error
        for row in rows:
            self.rows.setdefault(row["key"], {}).update(row)


@contextmanager
def opened(path: Path, plan: Row) -> Iterator[Ledger]:
    """Open the ledger of a run, or begin one with this plan.

    Whoever calls holds the lock of its folder, and compares `Ledger.plan` with the plan it has.
    Half a last line, of a run that was killed, is cut off.

    Raises
    ------
    StoreError
        The file is no ledger, or cannot be read or written.
    """
    try:
        begun, rows, whole = _read(path)
        stream = path.open("ab")
        stream.truncate(whole)
        if begun is None:
            stream.write(_line(plan))
            stream.flush()
    except OSError as error:
        raise _unwritable(path, error) from error
    with stream:
        yield Ledger(dict(plan) if begun is None else begun, rows, stream)


def read_rows(path: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a ledger by key; half a last line is left out.

    Raises
    ------
    StoreError
        The file is no ledger, or cannot be read.
    """
    try:
        return _read(path)[1]
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}).") from error


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path}: cannot be written ({error.strerror}).")


def _read(path: Path) -> tuple[dict[str, Any] | None, dict[str, dict[str, Any]], int]:
    """Return the plan, the rows by key, and the number of bytes that are whole lines."""
    plan: dict[str, Any] | None = None
    rows: dict[str, dict[str, Any]] = {}
    whole = 0
    data = path.read_bytes() if path.exists() else b""
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        if not line.endswith(b"\n"):
            break
        try:
            row = json.loads(line)
            if plan is None:
                plan = dict(row)
            else:
                rows.setdefault(row["key"], {}).update(row)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{path}: line {number} is damaged, so it is unknown what was done; remove the file"
                " and run again, or choose another folder."
            ) from error
        whole += len(line)
    return plan, rows, whole


def _line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
