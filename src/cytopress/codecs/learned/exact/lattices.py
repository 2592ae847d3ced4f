"""Lattices: the places of each pass of coding, as flat indices of rows and columns."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Shape = tuple[int, int]


@functools.lru_cache(maxsize=16)
def squares(shape: Shape, *, black: bool) -> Array:
    """Return the squares of one color of a checkerboard, (n,) int32, row by row.

    White are those whose row and column add up to an even number.
    """
    rows, columns = np.indices(shape, np.int32, sparse=True)
    return _places((rows + columns) % 2 == black)


@functools.lru_cache(maxsize=16)
def quarter(shape: Shape, *, odd: bool) -> Array:
    """Return the places in even rows and columns, or in odd ones, (n,) int32, row by row."""
    rows, columns = np.indices(shape, np.int32, sparse=True)
    return _places((rows % 2 == odd) & (columns % 2 == odd))


def _places(mask: Array) -> Array:
    found: Array = np.flatnonzero(mask).astype(np.int32)
    found.flags.writeable = False
    return found
