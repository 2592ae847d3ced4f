"""Stores: where an archive lies, a local folder or a bucket; its files are named by keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from cytopress.archive.store_keys import FOLDER, LEDGERS
from cytopress.atomic import atomic_file
from cytopress.batch import ledger as ledgers
from cytopress.errors import StoreError
from cytopress.lock import locked as locked_folder

PIECE = 2**20
# What zarr leaves behind where a process is killed while it writes.
DEBRIS = ".partial"


@runtime_checkable
class Store(Protocol):
    """Files by key, such as ``cytopress/plan.json``; it pickles, and prints as its path or URL."""

    def read(self, key: str) -> bytes:
        """Return a file; FileNotFoundError where there is none."""
        ...

    def pieces(self, key: str) -> Iterator[bytes]:
        """Yield a file in pieces; FileNotFoundError where there is none."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Write a file, which appears complete or not at all."""
        ...

    def size(self, key: str) -> int | None:
        """Return the bytes of a file; None where there is none."""
        ...

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield the files below a folder in order: keys and bytes."""
        ...

    def delete(self, key: str) -> None:
        """Delete a file, if it is there."""
        ...

    def keep(self, key: str) -> None:
        """Return when a file that zarr wrote would outlive a loss of power."""
        ...

    def zarr(self, key: str) -> Any:
        """Return what zarr-python opens for a group or array."""
        ...

    def failures(self) -> AbstractContextManager[None]:
        """Raise errors of the library that reaches the store as StoreError."""
        ...

    def locked(self, name: str, doing: str) -> AbstractContextManager[None]:
        """Hold a lock; StoreError if another process does. It ends with the process."""
        ...

    def ledger(self, name: str, plan: ledgers.Row) -> AbstractContextManager[ledgers.Ledger]:
        """Open a ledger, or begin one with a plan; see `cytopress.batch.ledger.opened`."""
        ...


Location = Path | str | Store


def store_of(out: Location) -> Store:
    """Return the store of an archive from its path or ``s3://`` URL.

    Raises
    ------
    NotAvailableError
        The extra s3 is not installed.
    """
    if not isinstance(out, str | Path):
        return out
    # A Path of a URL has one slash.
    scheme, colon, rest = str(out).replace(os.sep, "/").partition(":/")
    if colon and scheme == "s3":
        from cytopress.archive.bucket import Bucket

        return Bucket.at(rest.strip("/"))
    return Folder(Path(out))


@dataclass(frozen=True)
class Folder:
    """A folder of a file system."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def read(self, key: str) -> bytes:
        """Return a file."""
        return (self.path / key).read_bytes()

    def pieces(self, key: str) -> Iterator[bytes]:
        """Yield a file in pieces."""
        with (self.path / key).open("rb") as stream:
            while piece := stream.read(PIECE):
                yield piece

    def write(self, key: str, data: bytes) -> None:
        """Write a file at once."""
        path = self.path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as temporary:
            temporary.write_bytes(data)

    def size(self, key: str) -> int | None:
        """Return the bytes of a file."""
        path = self.path / key
        return path.stat().st_size if path.is_file() else None

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield files with their sizes."""
        folder = self.path / prefix
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if path.is_file():
                yield path.relative_to(self.path).as_posix(), path.stat().st_size

    def delete(self, key: str) -> None:
        """Delete a file."""
        (self.path / key).unlink(missing_ok=True)

    def keep(self, key: str) -> None:
        """Have the system write a file to the disk."""
        with (self.path / key).open("rb+") as stream:
            os.fsync(stream.fileno())

    def zarr(self, key: str) -> str:
        """Return the path of a group or array."""
        return str(self.path / key)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Pass errors on: they are of the system."""
        yield

    def locked(self, name: str, doing: str) -> AbstractContextManager[None]:
        """Hold a lock, of the file system."""
        return locked_folder(self.path / FOLDER, name, doing)

    @contextmanager
    def ledger(self, name: str, plan: ledgers.Row) -> Iterator[ledgers.Ledger]:
        """Open a ledger: a file that is appended to."""
        folder = self.path / LEDGERS
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be made ({error.strerror}).") from error
        with ledgers.opened(folder / f"{name}.jsonl", plan) as book:
            yield book
