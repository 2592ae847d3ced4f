"""Run a model that takes one size of input over an image of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from cytopress.image import Pixels

Values = npt.NDArray[np.float32]
# Share of a window's edge that is cut off on either side unless a model says otherwise.
HALO_SHARE = 8


def run_windows(
    model: Callable[[Pixels], Values], pixels: Pixels, *, window: Sequence[int], halo: Sequence[int]
) -> Values:
    """Return what the model gives on the whole image, put together from overlapping windows.

    An image that is smaller than the window is mirrored at its far edges. Of each window the
    ``halo`` is dropped, save at the border of the image, where there is nothing else; the last
    window along an axis ends with the image, so that no window sees what is not there.

    Parameters
    ----------
    model : callable
        Maps (channels, window...) to float32 of (channels, window...), the number of channels being
        its own.
    pixels : ndarray
        (C, Y, X) or (C, Z, Y, X).
    window : sequence of int
        What the model takes along each axis but the first.
    halo : sequence of int
        Pixels along each such axis that are not trusted near a window's edge; less than half of it.

    Returns
    -------
    ndarray
        (channels, Y, X) or (channels, Z, Y, X) float32.
    """
    shape = pixels.shape[1:]
    lacking = [(0, max(0, most - length)) for most, length in zip(window, shape, strict=True)]
    padded = np.pad(pixels, [(0, 0), *lacking], mode="symmetric")
    axes = [list(_spans(*sizes)) for sizes in zip(padded.shape[1:], window, halo, strict=True)]
    result: Values | None = None
    for spans in product(*axes):
        cuts = list(zip(spans, window, strict=True))
        seen = tuple(slice(start, start + most) for (start, _), most in cuts)
        found = model(padded[(slice(None), *seen)])
        if result is None:
            result = np.empty((len(found), *padded.shape[1:]), np.float32)
        kept = tuple(slice(start + known, start + most) for (start, known), most in cuts)
        new = tuple(slice(known, None) for _, known in spans)
        result[(slice(None), *kept)] = found[(slice(None), *new)]
    assert result is not None
    inside = tuple(slice(length) for length in shape)
    return result[(slice(None), *inside)].copy()


def _spans(length: int, window: int, halo: int) -> Iterator[tuple[int, int]]:
    """Yield each window's start, and what is skipped of it because an earlier one knows better.

    The far halo of a window need not be cut: the next window overwrites it.
    """
    yield 0, 0
    start = 0
    while start + window < length:
        start = min(start + window - 2 * halo, length - window)
        yield start, halo


def fitting(
    length: int, *, fixed: int | None, least: int = 1, step: int = 1, tile: int | None = None
) -> int:
    """Return the edge of the window for an axis of this length.

    Parameters
    ----------
    length : int
        Of the image.
    fixed : int or None
        The one size that the model takes, if there is one.
    least, step : int
        Otherwise the sizes it takes: ``least``, ``least + step``, ...
    tile : int, optional
        The longest edge to use, to bound memory; rounded up to a size that the model takes.
    """
    if fixed is not None:
        return fixed
    wanted = length if tile is None else min(length, tile)
    return least + -(-max(0, wanted - least) // step) * step


def halos(declared: int | None, window: Sequence[int], shape: Sequence[int]) -> list[int]:
    """Return the pixels to drop near a window's edge along each axis.

    None where one window holds the axis; otherwise what is declared, or a share of the window.
    """
    return [
        0 if length <= edge else min(_share(declared, edge), (edge - 1) // 2)
        for edge, length in zip(window, shape, strict=True)
    ]


def _share(declared: int | None, edge: int) -> int:
    return edge // HALO_SHARE if declared is None else declared
