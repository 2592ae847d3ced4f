"""Schema of a store: its tables and version, opening and locking, database errors as sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cytopress.errors import StoreError

FILE = "study.sqlite"
NOT_BEGUN = f"the study has not begun; run it again (of a copy: copy {FILE}-wal as well)."
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


def tables(connection: sqlite3.Connection) -> int:
    """Return the number of tables and indices in a store, 0 before it has begun."""
    return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a store, 0 if it is empty."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a store that can be read.

    Raises
    ------
    NotBegunError
        It is empty.
    StoreError
        It is not a store, or a newer version wrote it.
    """
    found = version_of(connection)
    if found > VERSION:
        raise StoreError(
            f"{path}: a newer cytopress wrote this store (version {found}, this one reads up to"
            f" {VERSION}); update cytopress, or choose another folder."
        )
    if not tables(connection):
        raise NotBegunError(f"{path}: {NOT_BEGUN}")
    if found < min(UPGRADES):
        raise StoreError(f"{path}: this is not a study store; choose another folder.")
    return found
