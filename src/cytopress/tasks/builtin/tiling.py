"""Run a translation-equivariant model over a plane or a volume of any size with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
# Pixels that a model is given at once: a U-Net of 12 channels on folded planes takes two gigabytes.
MOST_SEEN = 2**24


def run_tiled(
    model: Callable[[Values], Values],
    values: Values,
    *,
    stride: Sequence[int],
    reach: Sequence[int],
    tile: Sequence[int],
) -> Values:
    """Return what the model gives on the whole image, computed tile by tile.

    The image is padded at the far end of each axis, by repeating its last pixels, to a multiple of
    ``stride``. Tiles start at multiples of ``stride`` and overlap by at least ``reach``, so each
    kept pixel sees what it would see in the whole image, its borders included: there are no seams,
    and nothing to blend.

    Parameters
    ----------
    model : callable
        Maps (H, W) float32 to (..., H, W), or (D, H, W) to (..., D, H, W): one image, or one for
        each channel. The lengths are multiples of ``stride``.
    values : ndarray
        (Y, X) or (Z, Y, X) float32.
    stride : sequence of int
        Period along each axis, in pixels, with which shifting the input shifts the output.
    reach : sequence of int
        Along each axis no output pixel depends on an input pixel farther away than this.
    tile : sequence of int
        Pixels kept of a tile along each axis; rounded up to a multiple of ``stride``.

    Returns
    -------
    ndarray
        (..., Y, X) or (..., Z, Y, X) float32.
    """
    lacking = [(0, -length % step) for length, step in zip(values.shape, stride, strict=True)]
    padded = np.pad(values, lacking, mode="edge")
    tile, halo = _multiples(tile, stride), _multiples(reach, stride)
    starts = [range(0, length, step) for length, step in zip(padded.shape, tile, strict=True)]
    result: Values | None = None
    for corner in product(*starts):
        axes = list(zip(corner, tile, halo, padded.shape, strict=True))
        first = [max(0, start - margin) for start, _, margin, _ in axes]
        seen = [start + kept + margin for start, kept, margin, _ in axes]
        ends = [min(start + kept, length) for start, kept, _, length in axes]
        predicted = model(padded[_box(first, seen)])
        if result is None:
            # How many channels there are is the model's to say.
            channels = predicted.shape[: predicted.ndim - padded.ndim]
            result = np.empty((*channels, *padded.shape), np.float32)
        inner = _box(np.subtract(corner, first), np.subtract(ends, first))
        result[_box(corner, ends)] = predicted[inner]
    assert result is not None
    inside: Values = result[_box([0] * padded.ndim, values.shape)]
    return inside.copy()


def _box(starts: Iterable[int], ends: Iterable[int]) -> tuple[Any, ...]:
    """Return what cuts a box out of the last axes of an array."""
    return (..., *map(slice, starts, ends))


def tile_within(
    shape: Sequence[int], *, stride: Sequence[int], reach: Sequence[int], most: int = MOST_SEEN
) -> tuple[int, ...]:
    """Return the tile of an image that sees at most ``most`` pixels and has the least to compute.

    Every axis is cut into parts of one length. Where even the smallest tile sees more than
    ``most``, that is the tile.
    """
    lengths, halo = _multiples(shape, stride), _multiples(reach, stride)

    def seen(tile: Sequence[int]) -> int:
        axes = zip(tile, halo, lengths, strict=True)
        return prod(min(length, kept + 2 * margin) for kept, margin, length in axes)

    def effort(tile: Sequence[int]) -> int:
        parts = prod(-(-length // kept) for kept, length in zip(tile, lengths, strict=True))
        return parts * seen(tile)

    tiles = list(product(*map(_parts, lengths, stride)))
    return min([tile for tile in tiles if seen(tile) <= most] or [min(tiles, key=seen)], key=effort)


def _multiples(lengths: Sequence[int], stride: Sequence[int]) -> tuple[int, ...]:
    return tuple(-(-length // step) * step for length, step in zip(lengths, stride, strict=True))


def _parts(length: int, step: int) -> list[int]:
    """Return lengths to cut an axis into: whole, a half, a third, ... down to ``step``."""
    counts = {min(round(1.2**power), length // step) for power in range(40)} - {0}
    return sorted({-(-length // (count * step)) * step for count in counts} | {step})
