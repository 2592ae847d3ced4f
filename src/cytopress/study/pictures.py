"""Pictures for the gallery: which crop of a field to keep, and its lossless bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.image import Image
from cytopress.tasks.objects import Objects
from cytopress.tasks.protocol import Prediction


@dataclass(frozen=True)
class Window:
    """A rectangle of a plane, and the plane of a stack (None for a plane)."""

    plane: int | None
    rows: slice
    columns: slice


def crop(truth: Image, size: int) -> Window:
    """Choose the square of ``size`` pixels where the truth shows most, on a grid of half squares.

    Of a stack, the middle plane. The choice looks at the truth only, so every codec is shown there.
    """
    plane = truth.shape[0] // 2 if truth.axes == "ZYX" else None
    pixels = truth.pixels if plane is None else truth.pixels[plane]
    starts = [_starts(length, size) for length in pixels.shape]
    places = [(top, left) for top in starts[0] for left in starts[1]]
    top, left = max(
        places, key=lambda at: float(pixels[at[0] : at[0] + size, at[1] : at[1] + size].std())
    )
    return Window(plane, slice(top, top + size), slice(left, left + size))


def _starts(length: int, size: int) -> list[int]:
    if length <= size:
        return [0]
    return [*range(0, length - size, max(1, size // 2)), length - size]


def picture_of(shown: Prediction | None, window: Window) -> Image | None:
    """Cut the window out of an image or of objects; None where there is nothing to show."""
    if isinstance(shown, Image):
        pixels, spacing = shown.pixels, shown.spacing_um
    elif isinstance(shown, Objects) and shown.count < 2**16:
        pixels, spacing = shown.labels.astype(np.uint16), None
    else:
        return None
    plane = pixels if window.plane is None else pixels[window.plane]
    bits = shown.bits if isinstance(shown, Image) else 0
    return Image(
        plane[window.rows, window.columns],
        bits=bits,
        spacing_um=None if spacing is None else spacing[-2:],
        name=shown.name if isinstance(shown, Image) else "",
    )


def pack_picture(picture: Image) -> tuple[str, bytes]:
    """Return the digest and the lossless bytes of a picture."""
    spec = "zstd" if picture.dtype.kind == "f" else "jpegls"
    data = codec(spec).encode(picture)
    return hashlib.sha256(data).hexdigest(), data


def unpack_picture(data: bytes) -> Image:
    """Return the picture of its bytes."""
    return decode(data)
