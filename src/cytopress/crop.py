"""Crop: the square of a plane that shows most."""

from __future__ import annotations

from cytopress.image import Pixels


def busiest_square(plane: Pixels, size: int) -> tuple[slice, slice]:
    """Return rows and columns of the square of largest standard deviation.

    Squares of ``size`` pixels lie on a grid of half squares; along an axis that is shorter, all of
    it is returned.
    """
    starts = [_starts(length, size) for length in plane.shape]
    places = [(top, left) for top in starts[0] for left in starts[1]]
    top, left = max(
        places, key=lambda at: float(plane[at[0] : at[0] + size, at[1] : at[1] + size].std())
    )
    return slice(top, top + size), slice(left, left + size)


def _starts(length: int, size: int) -> list[int]:
    if length <= size:
        return [0]
    return [*range(0, length - size, max(1, size // 2)), length - size]
