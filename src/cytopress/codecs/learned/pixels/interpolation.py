"""Linear interpolation between grid numbers along one axis, and their least squares."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.pixels.normalization import Plane

# Grid numbers along an axis from which their equations are solved as the three diagonals they have.
MANY = 128


@functools.lru_cache(maxsize=4)
def lines(block: int, length: int, count: int) -> tuple[Any, Any]:
    """Return the weights, (length, count), of grid numbers in each pixel along one axis.

    And the inverse of their products, (count, count). A sparse array and none where there are many,
    since the time would go with the square of the length.
    """
    if count == 1:
        found = np.ones((length, 1), np.float32)
        return found, _inverse(found)
    before, after = between(block, range(length), count)
    if count > MANY:
        from scipy.sparse import csr_array

        weights = np.stack([1 - after, after], axis=1).ravel().astype(np.float64)
        numbers = np.stack([before, before + 1], axis=1).ravel()
        ends = np.arange(0, 2 * length + 1, 2)
        return csr_array((weights, numbers, ends), shape=(length, count)), None
    found = np.zeros((length, count), np.float32)
    places = np.arange(length)
    found[places, before], found[places, before + 1] = 1 - after, after
    return found, _inverse(found)


def _inverse(weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = np.linalg.pinv(weights.T @ weights, hermitian=True)
    return found


def between(block: int, places: range, count: int) -> tuple[npt.NDArray[Any], Plane]:
    """Return for each pixel the grid number before it, and its fraction toward the next one."""
    at = (np.arange(places.start, places.stop) + 0.5) / block - 0.5
    # Beyond the outermost numbers it extrapolates.
    before = np.clip(np.floor(at), 0, max(count - 2, 0)).astype(np.intp)
    return before, (at - before).astype(np.float32)


def solved(
    weights: Any, inverse: Any, values: npt.NDArray[Any], *, turned: bool = False
) -> npt.NDArray[Any]:
    """Return the least-squares grid numbers along an axis, of (count, n) products.

    ``weights`` and ``inverse`` are those of `lines`; ``turned`` returns them as (n, count).
    """
    found: npt.NDArray[Any]
    if inverse is not None:
        found = values.T @ inverse if turned else inverse @ values
        return found
    from scipy.linalg import solveh_banded

    normal = weights.T @ weights
    diagonals = np.zeros((2, normal.shape[0]))
    diagonals[0], diagonals[1, :-1] = normal.diagonal(), normal.diagonal(1)
    found = solveh_banded(diagonals, values, lower=True)
    return found.T if turned else found
