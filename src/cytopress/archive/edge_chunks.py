"""Edge chunks: zarr pads them with the fill value; that tail is cropped off, and put back.

Coded with the pixels, the tail would cost bytes and change the range and the pixels beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cytopress.image import Pixels


def cropped(pixels: Pixels, fill: Any) -> Pixels | None:
    """Return a chunk without its trailing planes, rows and columns of nothing but ``fill``.

    Compared bit by bit, so that minus zero and every NaN come back as they were. None: all of it is
    ``fill``.
    """
    different = bits_of(pixels) != bits_of(np.asarray(fill, pixels.dtype))
    ends = []
    for axis in range(pixels.ndim):
        others = tuple(other for other in range(pixels.ndim) if other != axis)
        used = np.flatnonzero(different.any(axis=others))
        if not used.size:
            return None
        ends.append(slice(int(used[-1]) + 1))
    return pixels[tuple(ends)]


def padded(pixels: Pixels, shape: tuple[int, ...], fill: Any) -> Pixels:
    """Return a chunk of ``shape``: first ``pixels``, of as many axes, then ``fill``."""
    if pixels.shape == shape:
        return pixels
    whole = np.full(shape, fill, pixels.dtype)
    whole[tuple(slice(length) for length in pixels.shape)] = pixels
    return whole


def bits_of(pixels: Pixels) -> Pixels:
    """Return pixels as unsigned integers of their bits."""
    return pixels.view(f"u{pixels.dtype.itemsize}")
