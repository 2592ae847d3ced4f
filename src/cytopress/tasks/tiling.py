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
        Maps (H, W) float32 to (..., H, W): a plane, or one for each channel. H and W are multiples
        of ``stride``.
    plane : ndarray
        (Y, X) float32.
    stride : int
        Period, in pixels, with which shifting the input shifts the output.
    reach : int
        No output pixel depends on an input pixel farther away than this, along either axis.
    tile : int
        Pixels kept of a tile along each axis; rounded up to a multiple of ``stride``.

    Returns
    -------
    ndarray
        (..., Y, X) float32.
    """
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % stride), (0, -width % stride)), mode="edge")
    tile, halo = -(-tile // stride) * stride, -(-reach // stride) * stride
    result: Plane | None = None
    for top in range(0, padded.shape[0], tile):
        for left in range(0, padded.shape[1], tile):
            above, before = max(0, top - halo), max(0, left - halo)
            seen = padded[above : top + tile + halo, before : left + tile + halo]
            predicted = model(seen)
            if result is None:
                # How many channels there are is the model's to say.
                result = np.empty((*predicted.shape[:-2], *padded.shape), np.float32)
            kept = result[..., top : top + tile, left : left + tile]
            inner = predicted[..., top - above :, left - before :]
            kept[...] = inner[..., : kept.shape[-2], : kept.shape[-1]]
    assert result is not None
    return result[..., :height, :width].copy()
