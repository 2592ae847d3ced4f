"""8-bit PNG pictures as data URIs, grey or with a palette: for eyes, never for measuring."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

Bytes2D = npt.NDArray[np.uint8]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, INDEXED = 0, 3
UNFILTERED, PAETH = 0, 4
# Noise repeats nothing: looking for repeats takes thirty times as long, and more bytes.
STRATEGIES = (zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE)


def png(pixels: Bytes2D, palette: Bytes2D | None = None) -> bytes:
    """Return ``pixels``, of shape (Y, X), as a PNG file.

    ``palette``, of shape (256, 3), turns values into red, green and blue.
    """
    height, width = pixels.shape
    kind = GREY if palette is None else INDEXED
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    rows = [_scan_lines(pixels, UNFILTERED)]
    if palette is None:
        rows.append(_scan_lines(pixels, PAETH))
    packed = [_deflate(lines, strategy) for lines in rows for strategy in STRATEGIES]
    smallest = min(packed, key=len)
    colors = b"" if palette is None else _chunk(b"PLTE", palette.tobytes())
    return b"".join(
        (
            SIGNATURE,
            _chunk(b"IHDR", header),
            colors,
            _chunk(b"IDAT", smallest),
            _chunk(b"IEND", b""),
        )
    )


def _deflate(lines: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(strategy=strategy)
    return packer.compress(lines) + packer.flush()


def data_uri(file: bytes) -> str:
    """Return a PNG file as the text that a page can hold."""
    return f"data:image/png;base64,{base64.b64encode(file).decode()}"


def _scan_lines(pixels: Bytes2D, method: int) -> bytes:
    """Put the filter's number before each row, filtered with it."""
    rows = _paeth(pixels) if method == PAETH else pixels
    return np.insert(rows, 0, np.uint8(method), axis=1).tobytes()


def _paeth(pixels: Bytes2D) -> Bytes2D:
    """Subtract from each pixel the neighbor (left, above, above left) nearest to their plane."""
    padded = np.pad(pixels.astype(np.int16), ((1, 0), (1, 0)))
    left, above, corner = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    plane = left + above - corner
    to_left, to_above, to_corner = (abs(plane - near) for near in (left, above, corner))
    near = np.where(
        (to_left <= to_above) & (to_left <= to_corner),
        left,
        np.where(to_above <= to_corner, above, corner),
    )
    filtered: Bytes2D = (pixels.astype(np.int16) - near).astype(np.uint8)
    return filtered


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
