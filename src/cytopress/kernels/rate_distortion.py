"""Rate-distortion costs in integers, and quantization of residuals by them.

An encoder's choices. Residuals have 8 bits of fraction, and so have costs in bits. Of a residual
there are two integers, the nearest and the next one toward zero; the cheaper one is taken, by
``bits + weight * error ** 2``. All sums are of integers, so every path chooses alike.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths
from cytopress.kernels.known_answer import scattered
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
FRACTION = 8
# Integers up to this have costs of their own; a larger one is always the nearest.
MOST_COUNTED = 2**8 - 1
MOST_WEIGHT = 2**17
# No residual is farther from 0.
MOST_QUANTIZED = 2**30
# Bits that nothing has.
UNCOUNTED = 2**16 - 1
# Numbers of one step of the numpy path: temporary arrays stay in the cache.
CHUNK = 2**15


@dataclass(frozen=True, eq=False)
class CostTable:
    """Costs of integers by row of probability tables that are symmetric around 0.

    Parameters
    ----------
    bits : ndarray
        (rows, 256) bits of the integers from 0.
    weight : float
        Rate-distortion trade-off: bits per unit of squared error, in quantization steps; at most
        512 count. 0: always the nearest integer.
    """

    bits: Array
    weight: float

    def quantized(self, residual: Array, rows: Array) -> Array:
        """Return an integer for each residual, (n,) int32, by its row, (n,) uint8.

        Raises
        ------
        ValueError
            The arrays are of another type, or a row does not exist.
        """
        fits = residual.dtype == np.int32 and rows.dtype == np.uint8 and rows.ndim == 1
        if not fits or residual.shape != rows.shape:
            raise ValueError(f"{residual.dtype} cannot be quantized by rows of {rows.dtype}.")
        if rows.size and int(rows.max()) >= len(self.bits):
            raise ValueError(f"A row is not one of {len(self.bits)}.")
        out = np.empty(residual.shape, np.int32)
        path = paths.current(_known_answer)
        if path == paths.NUMPY:

            def span(first: int, end: int) -> None:
                for start in range(first, end, CHUNK):
                    part = slice(start, min(start + CHUNK, end))
                    out[part] = self._by_numpy(residual[part], rows[part])

        else:
            call, number = extension.loaded().quantized, paths.NUMBERS[path]
            held = np.ascontiguousarray(residual), np.ascontiguousarray(rows)

            def span(first: int, end: int) -> None:
                call(number, *held, self.packed, out, self.whole_weight, (first, end))

        in_spans(span, len(out))
        return out

    @functools.cached_property
    def whole_weight(self) -> int:
        """The weight with a fraction."""
        whole: int = round(self.weight * 2**FRACTION)
        return min(whole, MOST_WEIGHT)

    @functools.cached_property
    def packed(self) -> Array:
        """(rows, 256) uint32: bits of the nearest integer, below them those of the next lower."""
        own = np.minimum(np.rint(self.bits * 2.0**FRACTION), UNCOUNTED).astype(np.uint32)
        lower = np.full_like(own, UNCOUNTED)
        if self.whole_weight:
            # Zero has no lower integer, nor has one whose bits nobody counted.
            lower[:, 1:MOST_COUNTED] = own[:, : MOST_COUNTED - 1]
        found: Array = np.ascontiguousarray(own << 16 | lower)
        return found

    def _by_numpy(self, residual: Array, rows: Array) -> Array:
        nearest, upper, lower = self.both(residual, rows)
        nearest -= lower < upper
        found: Array = np.where(residual < 0, -nearest, nearest)
        return found

    def both(self, residual: Array, rows: Array) -> tuple[Array, Array, Array]:
        """Return the sizes of the nearest integers, their costs, and those of the next lower."""
        size = np.abs(np.clip(residual, -MOST_QUANTIZED, MOST_QUANTIZED))
        nearest = size + (1 << FRACTION - 1)
        nearest >>= FRACTION
        size -= nearest << FRACTION
        places = np.minimum(nearest, MOST_COUNTED)
        places += rows.astype(np.int32) << FRACTION
        bits = self.packed.reshape(-1)[places]
        upper = (bits >> 16).astype(np.int32) + self._error(size)
        size += 1 << FRACTION
        return nearest, upper, (bits & UNCOUNTED).astype(np.int32) + self._error(size)

    def _error(self, off: Array) -> Array:
        error: Array = off * off
        error >>= 4
        error *= np.int32(self.whole_weight)
        error >>= 12
        return error


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few residuals."""
    table = CostTable(np.arange(5 * 256).reshape(5, 256) % 97 / 7, 8.66)
    numbers = scattered(96)
    residual = (numbers.reshape(6, 16) >> np.array([[22], [14], [19], [9], [1], [0]])).reshape(-1)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            rows = (numbers % 5).astype(np.uint8)
            found.append(table.quantized(residual.astype(np.int32), rows))
    return np.array_equal(found[0], found[1])
