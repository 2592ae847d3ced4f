"""Micro-Manager's image file stacks, written by hand after its description of the format."""

import json
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

DIRECTORY = 162


def write_stack(path: Path, pixels: npt.NDArray[np.uint16], description: str) -> None:
    """Write (position, channel, Y, X), and OME-XML as the description of the first page."""
    positions, channels, height, width = pixels.shape
    summary = json.dumps(
        {
            "MicroManagerVersion": "2.0", "Frames": 1, "Channels": channels, "Slices": 1,
            "Positions": positions, "SlicesFirst": False, "TimeFirst": False,
            "PixelType": "GRAY16", "Width": width, "Height": height,
        }
    ).encode()  # fmt: skip
    at = 40 + len(summary)
    at += at % 2
    pages, index = b"", []
    for number, (position, channel) in enumerate(np.ndindex(positions, channels)):
        data = pixels[position, channel].astype("<u2").tobytes()
        text = (description.encode() if number == 0 else b"{}\0") + b"\0"
        after = at + DIRECTORY + len(data)
        more = text + b"{}\0" + struct.pack("<II", 1, 1)
        more += b"\0" * (len(more) % 2)
        following = 0 if number == positions * channels - 1 else after + len(more)
        resolution = after + len(text) + 3
        tags = [
            (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1),
            (262, 3, 1, 1), (270, 2, len(text), after), (273, 4, 1, at + DIRECTORY),
            (277, 3, 1, 1), (278, 3, 1, height), (279, 4, 1, len(data)), (282, 5, 1, resolution),
            (283, 5, 1, resolution), (51123, 2, 3, after + len(text)),
        ]  # fmt: skip
        entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
        index.append((channel, 0, 0, position, at))
        pages += struct.pack("<H", len(tags)) + entries + struct.pack("<I", following) + data + more
        at = after + len(more)
    head = struct.pack("<2sHI", b"II", 42, index[0][4])
    head += struct.pack("<8I", 54773648, at, 483765892, 0, 99384722, 0, 2355492, len(summary))
    head += summary
    table = struct.pack("<II", 3453623, len(index))
    table += b"".join(struct.pack("<5I", *entry) for entry in index)
    path.write_bytes(head.ljust(index[0][4], b"\0") + pages + table)
