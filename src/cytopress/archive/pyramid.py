"""Lower resolutions of an image: rounded means of two by two pixels."""

from __future__ import annotations

import numpy as np

from cytopress.image import Pixels


def halved(pixels: Pixels) -> Pixels:
    """Return the means of 2 x 2 pixels along the last two axes; shape (..., Y, X).

    Integers are rounded, halves up. An odd last row or column is averaged with itself, so that
    every pixel counts.
    """
    for axis in (-2, -1):
        if pixels.shape[axis] % 2:
            last = pixels.take([-1], axis=axis)
            pixels = np.concatenate([pixels, last], axis=axis)
    wide = np.float64 if pixels.dtype.kind == "f" else np.int64
    parts = (pixels[..., y::2, x::2].astype(wide) for y in (0, 1) for x in (0, 1))
    total: Pixels = sum(parts, start=np.zeros((), wide))
    mean = total / 4 if pixels.dtype.kind == "f" else (total + 2) >> 2
    return mean.astype(pixels.dtype)
