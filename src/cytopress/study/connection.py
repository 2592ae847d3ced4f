"""Connections to a store: to write, and to read wherever it lies.

A store has a write-ahead log, so that it can be read while it is written. On network file systems,
which have no memory that machines share, it has a rollback journal instead.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import sqlite3
import tempfile
import warnings
from pathlib import Path
from typing import Literal

from cytopress.errors import CytopressWarning, StoreError
from cytopress.study.network_file_system import network_file_system
from cytopress.study.schema import (
    MARKS,
    TABLES,
    UPGRADES,
    VERSION,
    NotBegunError,
    check_version,
    tables,
)

# What a process that was killed may leave beside a store; without it, the store is an older one.
LOGS = ("-wal", "-journal")
Journal = Literal["WAL", "DELETE"]


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Open a store for its one writer; it is made if it is missing.

    Where a write-ahead log does not work, a warning says so and the store does without.
    """
    network = network_file_system(path.parent)
    if network is None:
        try:
            return _open(path, "WAL")
        except sqlite3.OperationalError as error:
            why = f"does not work here ({error})"
    else:
        why = f"does not work on a network file system ({network})"
    connection = _open(path, "DELETE")
    text = (
        f"{path}: SQLite's write-ahead log {why}; the study does without, which takes more time for"
        " each trial."
    )
    warnings.warn(text, CytopressWarning, stacklevel=2)
    return connection


def _open(path: Path, journal: Journal) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        if journal != "WAL":
            # Reads a log that is there already without memory shared between processes.
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        if not tables(connection):
            _set_journal(connection, journal)
            connection.executescript(
                f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version={VERSION}; COMMIT;"
            )
        for version in range(check_version(connection, path), VERSION):
            connection.executescript(
                f"BEGIN IMMEDIATE; {UPGRADES[version]} PRAGMA user_version={version + 1}; COMMIT;"
            )
        _set_journal(connection, journal)
        connection.executescript(MARKS)
        # A killed process loses nothing; a power cut may lose the last trials, never the store.
        connection.execute(f"PRAGMA synchronous={'NORMAL' if journal == 'WAL' else 'FULL'}")
        connection.execute("PRAGMA locking_mode=NORMAL")
        # Only the next access releases an exclusive lock.
        tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_journal(connection: sqlite3.Connection, journal: Journal) -> None:
    found = connection.execute(f"PRAGMA journal_mode={journal}").fetchone()[0]
    if found != journal.lower():
        raise sqlite3.OperationalError(f"the journal mode stays {found}")


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open an existing store, also while another process writes it, or on read-only media.

    Raises
    ------
    NotBegunError
        There is none, or it is empty.
    StoreError
        It is not a store, or a newer version wrote it.
    """
    if not path.is_file():
        raise NotBegunError(f"{path}: there is no study; run one with --out {path.parent}.")
    try:
        return _checked(path, "mode=ro")
    except sqlite3.OperationalError:
        # A folder that nobody may write to has no room for the index of a log, and a file of an
        # interrupted transaction cannot be rolled back there.
        pass
    logs = [log for log in map(path.with_name, (path.name + end for end in LOGS)) if _holds(log)]
    try:
        if not logs:
            return _checked(path, "mode=ro&immutable=1")
        stamps = [(file.stat().st_size, file.stat().st_mtime_ns) for file in (path, *logs)]
        return _checked(_copy(path, tuple(logs), *stamps), "mode=rw")
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"{path}: the store cannot be opened ({error}); check that you may read its folder."
        ) from error
    except OSError as error:
        raise StoreError(
            f"{path}: the run was interrupted and its folder is read-only; its files cannot be"
            f" copied to {tempfile.gettempdir()} ({error.strerror}): make room or set TMPDIR."
        ) from error


def _checked(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
    try:
        check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _holds(log: Path) -> bool:
    return log.is_file() and log.stat().st_size > 0


# Reports open a store for each picture.
@functools.lru_cache(maxsize=4)
def _copy(path: Path, logs: tuple[Path, ...], *_: tuple[int, int]) -> Path:
    """Copy an interrupted store with its logs to where it can be made whole, until it changes."""
    folder = Path(tempfile.mkdtemp(prefix="cytopress-study-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for file in (path, *logs):
        shutil.copyfile(file, folder / file.name)
    return folder / path.name
