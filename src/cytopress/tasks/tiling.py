"""Run a translation-equivariant model over a plane of any size with bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]


def run_tiled(
    model: Callable[[Plane], Plane], plane: Plane, *, stride: int, reach: int, tile: int
) -> Plane:
    """Return what the model gives on the whole plane, computed tile by tile.

    The plane is padded at its lower and right edge, by repeating the last row and column, to a
    multiple of ``stride``. Tiles start at multiples of ``stride`` and overlap by at least
    ``reach``, so each kept pixel sees what it would see in the whole plane, its borders included.

    Parameters
    ----------
    model : callable
        Maps (H, W) float32 to the same shape, H and W multiples of ``stride``.
    plane : ndarray
        (Y, X) float32.
    stride : int
        Period, in pixels, with which shifting the input shifts the output.
    reach : int
        No output pixel depends on an input pixel farther away than this, along either axis.
    tile : int
        Pixels kept of a tile along each axis; rounded up to a multiple of ``stride``.
    """
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % stride), (0, -width % stride)), mode="edge")
    tile, halo = -(-tile // stride) * stride, -(-reach // stride) * stride
    result = np.empty(padded.shape, np.float32)
    for top in range(0, padded.shape[0], tile):
        for left in range(0, padded.shape[1], tile):
            above, before = max(0, top - halo), max(0, left - halo)
            seen = padded[above : top + tile + halo, before : left + tile + halo]
            kept = result[top : top + tile, left : left + tile]
            predicted = model(seen)[top - above :, left - before :]
            kept[...] = predicted[: kept.shape[0], : kept.shape[1]]
    return result[:height, :width].copy()
