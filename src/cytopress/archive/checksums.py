"""Checksums: SHA256SUMS of an archive for ``sha256sum -c``, and CRC-32C of files and pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import google_crc32c
import numpy as np

from cytopress.archive.stores import Location, Store, store_of
from cytopress.errors import StoreError
from cytopress.image import Pixels

NAME = "SHA256SUMS"
# Hexadecimal digits of a digest, and where the name of its file begins.
DIGITS, BEGIN = 64, 66


def write(store: Store, known: Mapping[str, str]) -> None:
    """Write the digests of all files; the file itself and locks are left out.

    Parameters
    ----------
    store : Store
        The archive.
    known : mapping
        Digests by key that are not computed again: those of shards, as they were written. A shard
        that was damaged since then stays recognizable.
    """
    _write(store, {key: known.get(key) or digest(store, key) for key in files(store)})


def renew(store: Store, keys: Sequence[str]) -> None:
    """Write the digests of some files again, and keep the others as they are."""
    _write(store, read(store) | {key: digest(store, key) for key in keys})


def read(out: Location) -> dict[str, str]:
    """Return the digests by key.

    Raises
    ------
    StoreError
        The file is missing or damaged.
    """
    store = store_of(out)
    try:
        lines = store.read(NAME).decode().splitlines()
    except FileNotFoundError:
        raise StoreError(f"{store}/{NAME}: is missing: the archive is not complete.") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{store}/{NAME}: cannot be read ({error}).") from error
    for number, line in enumerate(lines, start=1):
        if len(line) <= BEGIN or line[DIGITS:BEGIN] != "  ":
            raise StoreError(f"{store}/{NAME}: line {number} is damaged.")
    return {line[BEGIN:]: line[:DIGITS] for line in lines}


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


def crc32c_of_file(store: Store, key: str) -> int:
    """Return the CRC-32C of a file, read in pieces."""
    found = 0
    for piece in store.pieces(key):
        found = google_crc32c.extend(found, piece)
    return found


def crc32c_of_pixels(pixels: Pixels, before: int = 0) -> int:
    """Return the CRC-32C of pixels in C order, plane by plane, continuing that of ``before``."""
    for plane in pixels.reshape(-1, *pixels.shape[-2:]):
        before = google_crc32c.extend(before, np.ascontiguousarray(plane).tobytes())
    return before


def _write(store: Store, digests: Mapping[str, str]) -> None:
    lines = [f"{digest}  {key}\n" for key, digest in sorted(digests.items())]
    store.write(NAME, "".join(lines).encode())
