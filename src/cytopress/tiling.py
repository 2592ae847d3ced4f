"""Tiling: an image in overlapping tiles, so that a model's memory does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
Span = tuple[int, int]
# Pixels that a model is given at once: a U-Net of 12 channels on folded planes takes two gigabytes.
MOST_SEEN = 2**24


@dataclass(frozen=True)
class Tile:
    """A box of a grid to compute, and the larger one to compute it from.

    Parameters
    ----------
    kept, seen : tuple of (int, int)
        Start and end of either box along each axis, ends exclusive.
    """

    kept: tuple[Span, ...]
    seen: tuple[Span, ...]

    def source(self, scale: int = 1) -> tuple[slice, ...]:
        """Return where to read, on a grid ``scale`` times as fine."""
        return _slices(self.seen, scale)

    def target(self, scale: int = 1) -> tuple[slice, ...]:
        """Return where to write, on a grid ``scale`` times as fine."""
        return _slices(self.kept, scale)

    def inner(self, scale: int = 1) -> tuple[slice, ...]:
        """Return which part of what was computed from `source` belongs into `target`."""
        pairs = zip(self.kept, self.seen, strict=True)
        return _slices([(low - start, high - start) for (low, high), (start, _) in pairs], scale)


def _slices(spans: Iterable[Span], scale: int) -> tuple[slice, ...]:
    return tuple(slice(start * scale, end * scale) for start, end in spans)


def tiles(shape: Sequence[int], *, size: Sequence[int], halo: Sequence[int]) -> Iterator[Tile]:
    """Yield tiles that cover a grid, the last axis fastest.

    Parameters
    ----------
    shape : sequence of int
        Of the grid.
    size : sequence of int
        Steps kept of a tile along each axis; fewer at the far end.
    halo : sequence of int
        Steps seen beyond them on either side, where the grid has any: at its own borders a model
        pads as it does with the whole grid.
    """
    axes = [
        [(start, min(start + step, length)) for start in range(0, length, step)]
        for length, step in zip(shape, size, strict=True)
    ]
    for kept in product(*axes):
        seen = (
            (max(0, start - margin), min(length, end + margin))
            for (start, end), margin, length in zip(kept, halo, shape, strict=True)
        )
        yield Tile(kept, tuple(seen))


def windows(shape: Sequence[int], *, window: Sequence[int], halo: Sequence[int]) -> Iterator[Tile]:
    """Yield tiles of one seen size that cover a grid, the last axis fastest.

    The last window along an axis ends with the grid, so that no window sees what is not there.

    Parameters
    ----------
    shape : sequence of int
        Of the grid; no axis is shorter than the window.
    window : sequence of int
        Steps seen along each axis.
    halo : sequence of int
        Steps at either end of a window that are left to its neighbors, but for the borders of the
        grid, where there are none; less than half of the window.
    """
    axes = [list(_along(*sizes)) for sizes in zip(shape, window, halo, strict=True)]
    for spans in product(*axes):
        kept, seen = zip(*spans, strict=True)
        yield Tile(kept, seen)


def _along(length: int, window: int, halo: int) -> Iterator[tuple[Span, Span]]:
    """Yield what each window along one axis keeps, and what it sees."""
    start, first = 0, 0
    while start + window < length:
        following = min(start + window - 2 * halo, length - window)
        yield (first, following + halo), (start, start + window)
        start, first = following, following + halo
    yield (first, length), (start, start + window)


def stitched(
    model: Callable[[npt.NDArray[Any]], Values],
    values: npt.NDArray[Any],
    boxes: Iterable[Tile],
    *,
    axes: int,
) -> Values:
    """Return what a model gives on each tile, put together.

    Parameters
    ----------
    model : callable
        Maps (..., *seen) to float32 of (channels..., *seen), the channels being its own.
    values : ndarray
        (..., *shape).
    boxes : iterable of Tile
        Tiles that cover ``shape``.
    axes : int
        Axes of ``shape``, the last ones.
    """
    result: Values | None = None
    for tile in boxes:
        predicted = model(values[_last(tile.source())])
        if result is None:
            channels = predicted.shape[: predicted.ndim - axes]
            result = np.empty((*channels, *values.shape[-axes:]), np.float32)
        result[_last(tile.target())] = predicted[_last(tile.inner())]
    assert result is not None
    return result


def _last(box: Iterable[slice]) -> tuple[Any, ...]:
    """Return an index of a box along the last axes."""
    return (..., *box)


def run_tiled(
    model: Callable[[Values], Values],
    values: Values,
    *,
    stride: Sequence[int],
    reach: Sequence[int],
    tile: Sequence[int],
) -> Values:
    """Return what a translation-equivariant model gives on the whole image, tile by tile.

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
    boxes = tiles(padded.shape, size=_multiples(tile, stride), halo=_multiples(reach, stride))
    result = stitched(model, padded, boxes, axes=padded.ndim)
    return _cropped(result, values.shape)


def run_windows(
    model: Callable[[npt.NDArray[Any]], Values],
    pixels: npt.NDArray[Any],
    *,
    window: Sequence[int],
    halo: Sequence[int],
) -> Values:
    """Return what a model of one input size gives on the whole image, window by window.

    An image that is smaller than the window is mirrored at its far edges.

    Parameters
    ----------
    model : callable
        Maps (channels, *window) to float32 of (channels, *window), the number of channels being
        its own.
    pixels : ndarray
        (C, Y, X) or (C, Z, Y, X).
    window, halo : sequence of int
        As in `windows`.

    Returns
    -------
    ndarray
        (channels, Y, X) or (channels, Z, Y, X) float32.
    """
    shape = pixels.shape[1:]
    lacking = [(0, max(0, most - length)) for most, length in zip(window, shape, strict=True)]
    padded = np.pad(pixels, [(0, 0), *lacking], mode="symmetric")
    boxes = windows(padded.shape[1:], window=window, halo=halo)
    return _cropped(stitched(model, padded, boxes, axes=len(shape)), shape)


def _cropped(values: Values, shape: Sequence[int]) -> Values:
    inside: Values = values[_last(slice(length) for length in shape)]
    return inside.copy()


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

    candidates = list(product(*map(_parts, lengths, stride)))
    small = [tile for tile in candidates if seen(tile) <= most]
    return min(small or [min(candidates, key=seen)], key=effort)


def _multiples(lengths: Sequence[int], stride: Sequence[int]) -> tuple[int, ...]:
    return tuple(-(-length // step) * step for length, step in zip(lengths, stride, strict=True))


def _parts(length: int, step: int) -> list[int]:
    """Return lengths to cut an axis into: whole, a half, a third, ... down to ``step``."""
    counts = {min(round(1.2**power), length // step) for power in range(40)} - {0}
    return sorted({-(-length // (count * step)) * step for count in counts} | {step})
