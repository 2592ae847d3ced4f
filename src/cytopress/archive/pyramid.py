"""Lower resolutions of an image: rounded means of pixels, and of labels every second one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cytopress.image import Pixels

Region = tuple[slice, ...]
Spacing = Sequence[float | None]
# Voxels are taken for isotropic where the distance of planes is no longer than so many pixels.
ISOTROPIC = math.sqrt(2)


def depth_factors(levels: int, spacing_um: Spacing) -> tuple[int, ...]:
    """Return by how much the planes of each resolution are fewer than the image's.

    They are halved with the rows and columns where the voxels of the resolution above are not
    longer along Z; never where the distance of planes or pixels is unknown.
    """
    z, y, x = spacing_um
    factors = [1]
    for level in range(1, levels):
        last, deep = factors[-1], False
        if z is not None and y is not None and x is not None:
            deep = z * last <= ISOTROPIC * max(y, x) * 2 ** (level - 1)
        factors.append(last * 2 if deep else last)
    return tuple(factors)


def halved(pixels: Pixels, *, deep: bool = False) -> Pixels:
    """Return the means of 2 x 2 pixels along the last two axes, or of 2 x 2 x 2; (..., Y, X).

    Integers are rounded, halves to even, so that means of means drift neither up nor down. An odd
    last plane, row or column is averaged with itself, so that every pixel counts.
    """
    axes = (-3, -2, -1) if deep else (-2, -1)
    for axis in axes:
        if pixels.shape[axis] % 2:
            last = pixels.take([-1], axis=axis)
            pixels = np.concatenate([pixels, last], axis=axis)
    halves = (slice(0, None, 2), slice(1, None, 2))
    corners: list[tuple[Any, ...]] = [
        (..., *one) for one in itertools.product(halves, repeat=len(axes))
    ]
    parts = [pixels[corner] for corner in corners]
    if pixels.dtype.kind == "f":
        total = np.zeros(parts[0].shape, np.float64)
        for part in parts:
            total += part / len(parts)
        return total.astype(pixels.dtype)
    # The sum of eight counts of 16 bits fits into 32.
    total = np.zeros(parts[0].shape, np.int32 if pixels.dtype.itemsize <= 2 else np.int64)
    for part in parts:
        total += part
    return _rounded_shift(total, len(axes)).astype(pixels.dtype)


def strided(pixels: Pixels, *, deep: bool = False) -> Pixels:
    """Return every second pixel along the last two or three axes, as labels are reduced."""
    every: tuple[Any, ...] = (..., *[slice(None, None, 2)] * (3 if deep else 2))
    return np.asarray(pixels[every])


def reduced(
    load: Callable[[Region], Pixels],
    above: Sequence[int],
    region: Region,
    *,
    deep: bool,
    labels: bool,
    planes: int = 1,
) -> Pixels:
    """Return a region of a resolution from the one above.

    Parameters
    ----------
    load : callable
        Takes a region (T, C, Z, Y, X) of the resolution above and returns its pixels.
    above : sequence of int
        Shape of that resolution.
    region : tuple of slice
        Of the lower resolution.
    deep : bool
        Whether planes are halved, too.
    labels : bool
        Whether these are labels, which have no mean.
    planes : int
        So many planes are loaded at once.
    """
    t, c, z, *plane = region
    rows, columns = (
        slice(one.start * 2, min(one.stop * 2, length))
        for one, length in zip(plane, above[-2:], strict=True)
    )
    reduce, factor = strided if labels else halved, 2 if deep else 1
    found = []
    for start in range(z.start, z.stop, planes):
        stop = min(start + planes, z.stop)
        depth = slice(start * factor, min(stop * factor, above[2]))
        found.append(reduce(load((t, c, depth, rows, columns)), deep=deep))
    return np.concatenate(found, axis=2)


def _rounded_shift(total: Pixels, bits: int) -> Pixels:
    """Return sums divided by a power of two, rounded, halves to even."""
    half = 1 << (bits - 1)
    mean = (total + half) >> bits
    exactly = (total & ((1 << bits) - 1)) == half
    return np.asarray(mean - (exactly & (mean & 1 == 1)))
