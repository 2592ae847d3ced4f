"""Ledger: a file of JSON lines that is only appended to, so that an interrupted run can resume.

The first line is the plan, which says what the run is. Each line after it has a ``key``, which
names a task; the lines of a task are merged, later ones over earlier ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    append : callable
        Takes lines, which are kept for good when it returns; raises OSError if they cannot be.
    name : str
        Where it is, for messages.
    """

    def __init__(
        self,
        plan: Row,
        rows: dict[str, dict[str, Any]],
        append: Callable[[bytes], None],
        name: str,
    ) -> None:
        self.plan = plan
        self.rows = rows
        self._append, self._name = append, name

    def add(self, *rows: Row) -> None:
        """Append rows, each with its ``key``; they are kept for good when this returns.

        Raises
        ------
        StoreError
            They cannot be written.
        """
        try:
            self._append(b"".join(map(line, rows)))
        except OSError as error:
            raise _unwritable(self._name, error) from error
        for row in rows:
            self.rows.setdefault(row["key"], {}).update(row)


@dataclass(frozen=True)
class Parsed:
    """What a ledger's lines say: its plan, the rows by key, and the bytes that are whole lines."""

    plan: dict[str, Any] | None
    rows: dict[str, dict[str, Any]]
    whole: int


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
        data = path.read_bytes() if path.exists() else b""
        found = parsed(data, str(path))
        stream = path.open("ab")
        if found.whole < len(data):
            stream.truncate(found.whole)
        if found.plan is None:
            stream.write(line(plan))
            stream.flush()
    except OSError as error:
        raise _unwritable(str(path), error) from error

    def append(data: bytes) -> None:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())

    with stream:
        yield Ledger(found.plan or dict(plan), found.rows, append, str(path))


def read_rows(path: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a ledger by key; half a last line is left out.

    Raises
    ------
    StoreError
        The file is no ledger, or cannot be read.
    """
    try:
        return parsed(path.read_bytes() if path.exists() else b"", str(path)).rows
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}).") from error


def parsed(data: bytes, name: str) -> Parsed:
    """Return what a ledger's lines say; half a last line is left out.

    Raises
    ------
    StoreError
        They are those of no ledger.
    """
    plan: dict[str, Any] | None = None
    rows: dict[str, dict[str, Any]] = {}
    whole = 0
    for number, text in enumerate(data.splitlines(keepends=True), start=1):
        if not text.endswith(b"\n"):
            break
        try:
            row = json.loads(text)
            if plan is None:
                plan = dict(row)
            else:
                rows.setdefault(row["key"], {}).update(row)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{name}: line {number} is damaged, so it is unknown what was done; remove the file"
                " and run again, or choose another folder."
            ) from error
        whole += len(text)
    return Parsed(plan, rows, whole)


def line(row: Row) -> bytes:
    """Return a row as a line."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _unwritable(name: str, error: OSError) -> StoreError:
    return StoreError(f"{name}: cannot be written ({error.strerror}).")
