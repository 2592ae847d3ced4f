"""Schema of a store: its tables and version, opening and locking, database errors as sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cytopress.errors import StoreError

FILE = "study.sqlite"
LOCK = ".study.lock"
VERSION = 2
TABLES = """
CREATE TABLE study    (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE runs     (started TEXT NOT NULL, machine TEXT NOT NULL, versions TEXT NOT NULL);
CREATE TABLE yardsticks (sources TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE plan     (position INTEGER PRIMARY KEY, key TEXT NOT NULL, names TEXT NOT NULL);
CREATE TABLE trials   (key TEXT PRIMARY KEY, outcome TEXT NOT NULL);
CREATE TABLE pictures (digest TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE previews (
    key TEXT NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, task TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES pictures (digest),
    section TEXT NOT NULL DEFAULT 'XY', crossing TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (key, position)
);
CREATE TABLE speeds   (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# Keys of trials to run again, since their failure is about the machine, and of trials that a
# process began and has not ended: it may have died of them. Outside the version: who does not know
# these tables reads the store as before.
MARKS = """
CREATE TABLE IF NOT EXISTS retry (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS begun (key TEXT PRIMARY KEY) WITHOUT ROWID;
"""


# SQL that upgrades a store of a version to the next; for reading, no upgrade is needed.
UPGRADES = {
    1: "ALTER TABLE previews ADD COLUMN section TEXT NOT NULL DEFAULT 'XY';"
    " ALTER TABLE previews ADD COLUMN crossing TEXT NOT NULL DEFAULT '';"
}


class NotBegunError(StoreError):
    """There is no store yet, or its run was killed before anything was stored."""


@contextmanager
def errors_as_sentences(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as a StoreError, one sentence that says what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise StoreError(
                f"{path}: the disk is full or fails ({error}); free some space and run the same"
                " command again: it resumes."
            ) from error
        raise StoreError(f"{path}: the store cannot be used ({error}).") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"{path}: this is not a whole study store ({error}); move the file away, or choose"
            " another folder."
        ) from error


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Open a store for its only writer; a missing one is created, an older one upgraded."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        if not _tables(connection):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(
                f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version={VERSION}; COMMIT;"
            )
        for version in range(_check_version(connection, path), VERSION):
            connection.executescript(
                f"BEGIN IMMEDIATE; {UPGRADES[version]} PRAGMA user_version={version + 1}; COMMIT;"
            )
        connection.executescript(MARKS)
        connection.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing. A power cut may lose the last trials, but not the store.
        connection.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open an existing store, also while another process writes it.

    Raises
    ------
    NotBegunError
        There is none, or it is empty.
    StoreError
        It is not a store, or a newer version wrote it.
    """
    if not path.is_file():
        raise NotBegunError(f"{path}: there is no study; run one with --out {path.parent}.")
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
        try:
            _check_version(connection, path)
            return connection
        except sqlite3.OperationalError:
            # A reader needs a log beside the store, which cannot be created in a read-only folder.
            connection.close()
        except BaseException:
            connection.close()
            raise
    raise StoreError(f"{path}: the store cannot be opened; check that you may read its folder.")


def lock(folder: Path) -> sqlite3.Connection:
    """Take the writer's lock; the system releases it when the process ends, however it ends.

    Raises
    ------
    StoreError
        Another process has it.
    """
    connection = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" not in str(error):
            raise
        raise StoreError(
            f"{folder}: another process is running a study here; wait for it, or choose another"
            " folder."
        ) from error
    return connection


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a store, 0 if it is empty."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(connection: sqlite3.Connection, path: Path) -> int:
    found = version_of(connection)
    if found > VERSION:
        raise StoreError(
            f"{path}: a newer cytopress wrote this store (version {found}, this one reads up to"
            f" {VERSION}); update cytopress, or choose another folder."
        )
    if not _tables(connection):
        raise NotBegunError(f"{path}: the study has not begun; run it again.")
    if found < min(UPGRADES):
        raise StoreError(f"{path}: this is not a study store; choose another folder.")
    return found
