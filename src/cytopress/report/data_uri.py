"""PNG pictures as data URIs, 8-bit grey or with a palette: to look at, not to measure."""

from __future__ import annotations

import base64
import io
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture

Bytes2D = npt.NDArray[np.uint8]
# Noise repeats nothing: the search for repeats takes three times as long, and more bytes.
STRATEGIES = (zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE)


def png(pixels: Bytes2D, palette: Bytes2D | None = None) -> bytes:
    """Return ``pixels``, of shape (Y, X), as a PNG file.

    ``palette``, of shape (256, 3), turns values into red, green and blue.
    """
    picture = Picture.fromarray(pixels)
    if palette is not None:
        picture.putpalette(palette.tobytes())
    return min((_encode(picture, strategy) for strategy in STRATEGIES), key=len)


def data_uri(file: bytes) -> str:
    """Return a PNG file as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(file).decode()}"


def _encode(picture: Picture.Image, strategy: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_type=strategy)
    return file.getvalue()
