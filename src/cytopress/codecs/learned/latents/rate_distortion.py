"""Rate-distortion optimized quantization: an encoder's choice that a decoder need not know of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import MOST_COUNTED, ProbabilityTables

Array = npt.NDArray[Any]
# Residuals rounded at once: their temporary arrays stay in the cache.
CHUNK = 2**16
# Rate-distortion trade-off where gains are optimal, in bits per unit of squared error in
# quantization steps: at high rate a step of 1 balances 6 * lambda-weighted error against 1 / ln 2
# bits.
BITS_PER_SQUARE = 8.66


def rounded(residuals: Array, rows: Array, tables: ProbabilityTables, weight: float) -> Array:
    """Return an integer for each residual: the nearest, or the next one toward zero if cheaper.

    Of the two it takes the one with the least ``bits + weight * (residual - integer) ** 2``.

    Parameters
    ----------
    residuals : ndarray
        (n,) float32.
    rows : ndarray
        (n,) of uint8: the row of ``tables`` of each.
    tables : ProbabilityTables
        Costs of the integers.
    weight : float
        Rate-distortion trade-off: bits per unit of squared error; 0: always the nearest.
    """
    out = np.empty(residuals.shape, np.int32)
    for start in range(0, len(out), CHUNK):
        part = slice(start, start + CHUNK)
        nearest = np.rint(residuals[part]).astype(np.int32)
        if weight:
            nearest = _chosen(residuals[part], nearest, rows[part], tables, weight)
        out[part] = nearest
    return out


def _chosen(
    residuals: Array, chosen: Array, rows: Array, tables: ProbabilityTables, weight: float
) -> Array:
    # Zero has no lower integer.
    open_ = np.flatnonzero(chosen)
    values, row, exact = chosen[open_], rows[open_], residuals[open_]
    lower = values - np.sign(values)
    saved = bits_of(values, row, tables) - bits_of(lower, row, tables)
    lost = weight * ((exact - lower) ** 2 - (exact - values) ** 2)
    chosen[open_] = np.where(saved > lost, lower, values)
    return chosen


def costs(residuals: Array, rows: Array, tables: ProbabilityTables, weight: float) -> Array:
    """Return bits + weight * squared error of what `rounded` would choose, float32.

    For tables that are symmetric around 0; large residuals count as ``MOST_COUNTED``.

    Parameters
    ----------
    residuals, rows : ndarray
        Of one shape.
    tables : ProbabilityTables
        Costs of the integers.
    weight : float
        Rate-distortion trade-off: bits per unit of squared error.
    """
    size = np.abs(residuals)
    nearest = np.rint(size)
    place = np.minimum(nearest, MOST_COUNTED).astype(np.int32)
    place += rows.astype(np.int32) * (MOST_COUNTED + 1)
    bits, off = tables.bits_by_size.reshape(-1), size - nearest
    upper = bits[place] + weight * off * off
    # Zero has no lower integer.
    place -= nearest > 0
    off += nearest > 0
    return np.minimum(upper, bits[place] + weight * off * off)  # type: ignore[no-any-return]


def bits_of(values: Array, rows: Array, tables: ProbabilityTables) -> Array:
    """Return the bits of each integer, (n,) float32, coded by its row; escapes included."""
    symbols = values - tables.offset[rows]
    last = tables.size[rows] - 1
    outside = (symbols < 0) | (symbols >= last)
    bits = tables.bits[rows, np.where(outside, last, symbols)]
    # An escaped value is followed by the bits of Elias' gamma code.
    beyond = np.where(symbols < 0, -2 * symbols, 2 * (symbols - last) + 1)[outside]
    bits[outside] += 2 * np.floor(np.log2(beyond)) + 1
    return bits  # type: ignore[no-any-return]
