"""SHA256SUMS: the digest of every file of an archive, for ``sha256sum -c``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from cytopress.archive.stores import Location, Store, store_of

NAME = "SHA256SUMS"


def write(store: Store, known: Mapping[str, str]) -> None:
    """Write the digests of all files; the file itself and locks are left out.

    ``known`` are digests by key, of files that need not be read again.
    """
    lines = (f"{known.get(key) or digest(store, key)}  {key}\n" for key in files(store))
    store.write(NAME, "".join(lines).encode())


def read(out: Location) -> dict[str, str]:
    """Return the digests by key; FileNotFoundError where there are none."""
    text = store_of(out).read(NAME).decode()
    return {line[66:]: line[:64] for line in text.splitlines()}


def files(store: Store) -> Iterator[str]:
    """Yield the files of an archive in order."""
    for key, _ in store.list():
        if key != NAME and ".lock" not in key.rsplit("/", 1)[-1]:
            yield key


def digest(store: Store, key: str) -> str:
    """Return the hexadecimal sha256 of a file."""
    found = hashlib.sha256()
    for piece in store.pieces(key):
        found.update(piece)
    return found.hexdigest()
