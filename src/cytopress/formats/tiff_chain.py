"""Chain of a TIFF file's page directories, checked for truncation before a library reads it."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cytopress.errors import ImageError

# Bytes per value of each TIFF field type.
VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
               16: 8, 17: 8, 18: 8}  # fmt: skip
# Texts about the file, which no reader needs: names of document, maker, model, page, software,
# date, artist, host.
TEXTS = frozenset({269, 271, 272, 285, 305, 306, 315, 316})
FIRST_PRIVATE = 32768


@dataclass(frozen=True)
class Chain:
    """Offsets of the page directories in order, and the tags whose values are not in the file."""

    offsets: tuple[int, ...]
    stale: tuple[int, ...]


def read_chain(path: Path, stream: BinaryIO) -> Chain:
    """Follow the chain of page directories, and check that their values are inside the file.

    A truncated file breaks the chain; tifffile would log that and read what is left. Programs that
    rewrite a file may leave a private tag or a text behind that points nowhere: these are listed.

    Raises
    ------
    ImageError
        The file is no TIFF, holds no image, or is cut short.
    """
    size = os.fstat(stream.fileno()).st_size
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise ImageError(f"{path}: the file is not a TIFF.")
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    word = "Q" if big else "I"
    seen: dict[int, None] = {}
    stale: dict[int, None] = {}
    try:
        (offset,) = struct.unpack_from(f"{order}{word}", head, 8 if big else 4)
        while offset and offset not in seen:
            seen[offset] = None
            stream.seek(offset)
            count = f"{order}{'Q' if big else 'H'}"
            (entries,) = struct.unpack(count, stream.read(struct.calcsize(count)))
            directory = struct.Struct(f"{order}HH{word}{word}")
            table = stream.read(entries * directory.size)
            (offset,) = struct.unpack(f"{order}{word}", stream.read(struct.calcsize(f"={word}")))
            for tag, kind, number, value in directory.iter_unpack(table):
                length = VALUE_BYTES.get(kind, 0) * number
                if length <= struct.calcsize(f"={word}") or value + length <= size:
                    continue
                if tag < FIRST_PRIVATE and tag not in TEXTS:
                    raise ImageError(_cut_short(path, size))
                stale[tag] = None
    except (struct.error, OverflowError, MemoryError) as error:
        raise ImageError(_cut_short(path, size)) from error
    if not seen:
        raise ImageError(f"{path}: the TIFF file holds no image.")
    return Chain(tuple(seen), tuple(stale))


def _cut_short(path: Path, size: int) -> str:
    return f"{path}: the file is damaged or cut short at {size} bytes; get it again."
