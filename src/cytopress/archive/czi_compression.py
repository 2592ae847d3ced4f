"""Compressions that a CZI file names: the directory of its subblocks is read, and no pixels.

Format: ZEISS, DS_ZISRAW-FileFormat. A file begins with a segment ``ZISRAWFILE``, which says where
the segment ``ZISRAWDIRECTORY`` is; each of its entries (schema ``DV``) names the compression of a
subblock, and the dimensions that follow it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

# A segment begins with its name, its allocated and its used size.
HEADER = 32
DIRECTORY_AT = HEADER + 36
# Of an entry: schema, pixel type, file position, file part, compression, others, dimensions.
ENTRY = struct.Struct("<2siqiiB5si")
DIMENSION = 20
# Entries begin after their number and what is reserved.
ENTRIES_AT = HEADER + 128


def compressions(path: Path) -> set[int]:
    """Return the numbers of the compressions of a file's subblocks.

    Raises
    ------
    ValueError
        The file is no CZI file, or of another schema.
    struct.error
        It is cut off.
    """
    with path.open("rb") as file:
        if _read(file, 0, 10) != b"ZISRAWFILE":
            raise ValueError(f"{path}: no CZI file")
        (directory,) = struct.unpack("<q", _read(file, DIRECTORY_AT, 8))
        if _read(file, directory, 15) != b"ZISRAWDIRECTORY":
            raise ValueError(f"{path}: no directory of subblocks")
        (count,) = struct.unpack("<i", _read(file, directory + HEADER, 4))
        at, found = directory + ENTRIES_AT, set()
        for _ in range(count):
            schema, _, _, _, compression, _, _, dimensions = ENTRY.unpack(
                _read(file, at, ENTRY.size)
            )
            if schema != b"DV":
                raise ValueError(f"{path}: entries of another schema")
            found.add(compression)
            at += ENTRY.size + DIMENSION * dimensions
    return found


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
