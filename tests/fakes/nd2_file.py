"""ND2 files in the form of NIS-Elements 3: chunks, metadata as nested records, and a map."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = 0x0ABECEDA
# Pixels begin 4096 bytes into their chunk: a header of 16, a name with padding, and a time of 8.
NAME_BYTES = 4072
CODES = {bool: (1, "<B"), int: (3, "<I"), float: (6, "<d")}


def variant(name: str, value: Any) -> bytes:
    """Return one record: a number, a text, or a level of records."""
    head = bytes([len(name) + 1]) + f"{name}\0".encode("utf-16-le")
    if isinstance(value, str):
        return b"\x08" + head + f"{value}\0".encode("utf-16-le")
    if not isinstance(value, Mapping):
        code, form = CODES[type(value)]
        return bytes([code]) + head + struct.pack(form, value)
    parts = [variant(key, one) for key, one in value.items()]
    body = b"".join(parts)
    begin = 1 + len(head) + 12
    offsets = [begin + sum(map(len, parts[:number])) for number in range(len(parts))]
    size = struct.pack("<IQ", len(parts), begin + len(body))
    return b"\x0b" + head + size + body + struct.pack(f"<{len(parts)}Q", *offsets)


def write_nd2(
    path: Path,
    frames: Sequence[npt.NDArray[np.uint16]],
    *,
    picture: Mapping[str, Any],
    period_ms: float,
    date_and_time: float,
) -> None:
    """Write a time series.

    Parameters
    ----------
    path : Path
        The file.
    frames : sequence of ndarray
        (rows, columns, channels) of each time, uint16.
    picture : mapping
        The record ``SLxPictureMetadata``.
    period_ms, date_and_time : float
        Between frames; and the Julian day of the first.
    """
    rows, columns, channels = frames[0].shape
    attributes = {
        "uiWidth": columns,
        "uiWidthBytes": 2 * columns * channels,
        "uiHeight": rows,
        "uiComp": channels,
        "uiBpcInMemory": 16,
        "uiBpcSignificant": 12,
        "uiSequenceCount": len(frames),
        "eCompression": 2,
    }
    loop = {
        "eType": 1,
        "uLoopPars": {
            "uiCount": len(frames),
            "dStart": 0.0,
            "dPeriod": period_ms,
            "dDuration": period_ms * len(frames),
        },
    }
    times = np.arange(len(frames), dtype=np.float64) * period_ms
    chunks = {
        "ImageAttributesLV!": variant("SLxImageAttributes", attributes),
        "ImageMetadataSeqLV|0!": variant(
            "SLxPictureMetadata", {**picture, "dTimeAbsolute": date_and_time}
        ),
        "ImageMetadataLV!": variant("SLxExperiment", loop),
        "CustomData|AcqTimesCache!": times.tobytes(),
    } | {f"ImageDataSeq|{number}!": b"\0" * 8 + one.tobytes() for number, one in enumerate(frames)}
    with path.open("wb") as file:
        file.write(struct.pack("<IIQ32s64s", MAGIC, 32, 64, SIGNATURE, b"Ver3.0"))
        found = b""
        for name, data in chunks.items():
            place = file.tell()
            found += name.encode() + struct.pack("<QQ", place, len(data))
            file.write(struct.pack("<IIQ", MAGIC, NAME_BYTES, len(data)))
            file.write(name.encode().ljust(NAME_BYTES, b"\0") + data)
        place = file.tell()
        end = b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", place)
        name = b"ND2 FILEMAP SIGNATURE NAME 0001!"
        file.write(struct.pack("<IIQ", MAGIC, len(name), len(found) + len(end)))
        file.write(name + found + end)


SIGNATURE = b"ND2 FILE SIGNATURE CHUNK NAME01!"
