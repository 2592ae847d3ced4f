"""Sums of cosines in integers: the inverse DCT of a few numbers at every row, by a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths
from cytopress.kernels.known_answer import scattered
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
# Rows of one matrix product of the numpy path.
BLOCK = 64


def cosine_sums(table: Array, used: Array, factors: Array) -> Array:
    """Return the sums over k of ``table[(2 row + 1) * used[k]] * factors[k]``, (length, n) int64.

    Parameters
    ----------
    table : ndarray
        (4 * length,) int16: a turn; places beyond it begin again.
    used : ndarray
        (K,) int64 frequencies, from 0 to below length.
    factors : ndarray
        (K, n) int64, n at most 2; no sum is farther from 0 than 2 ** 53.

    Raises
    ------
    ValueError
        An array has another type or shape.
    """
    length, columns = len(table) // 4, factors.shape[1]
    fits = (
        table.dtype == np.int16 and used.dtype == factors.dtype == np.int64 and len(table) % 4 == 0
    )
    if not fits or factors.shape[0] != len(used) or columns not in (1, 2):
        raise ValueError(
            f"Cosines of {used.shape} {used.dtype} and {factors.shape} {factors.dtype} cannot be"
            f" summed by a table of {table.shape} {table.dtype}."
        )
    out: Array = np.zeros((length, columns), np.int64)
    if not used.size:
        return out
    if paths.current(_known_answer) == paths.NUMPY:

        def rows(first: int, end: int) -> None:
            exact = factors.astype(np.float64)
            for top in range(first, end, BLOCK):
                odd = 2 * np.arange(top, min(top + BLOCK, end), dtype=np.int64) + 1
                basis = table[odd[:, None] * used % len(table)].astype(np.float64)
                out[top : top + len(odd)] = basis @ exact
    else:
        call = extension.loaded().cosine_sums
        given = table, np.ascontiguousarray(used), np.ascontiguousarray(factors), out

        def rows(first: int, end: int) -> None:
            call(*given, (length, columns), (first, end))

    in_spans(rows, length)
    return out


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few cosines."""
    numbers = scattered(4 * 37)
    table, used = (numbers >> 17).astype(np.int16), np.array([0, 1, 5, 17, 36])
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            found.append(cosine_sums(table, used, numbers[:10].reshape(5, 2)))
    return np.array_equal(found[0], found[1])
