"""Tables of symbols of interleaved rANS, and the numbers that its format consists of."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import constriction
import numpy as np
import numpy.typing as npt

from cytopress.errors import PackageError
from cytopress.kernels import extension

Array = npt.NDArray[Any]
PRECISION = 24
MOST_LANES = 16
# Symbols sorted at once: part of the format.
PIECE = 2**18
# Bits of a slot that find its first candidate.
COARSE = 10
# What stands for an escape among values.
ESCAPE = -(2**31)
MOST_ROWS, MOST_SYMBOLS = 2**8, 2**16


@dataclass(frozen=True, eq=False)
class RansTables:
    """Tables of symbols as both paths need them.

    Parameters
    ----------
    cdf : ndarray
        (rows, longest + 1) uint32; each row counts from 0 to 2 ** 24 over its symbols, by at least
        1 each; what follows in a row is 2 ** 24.
    size : ndarray
        (rows,) int32: symbols of each row; the last one is the escape.
    offset : ndarray
        (rows,) int32: value of each row's first symbol.

    Raises
    ------
    PackageError
        There are more tables than 8 bits can number, or symbols in one than 16 can, or a row is no
        such table.
    """

    cdf: Array
    size: Array
    offset: Array

    def __post_init__(self) -> None:
        rows = len(self.size)
        least, most = int(self.size.min(initial=2)), int(self.size.max(initial=0))
        if not 1 <= rows <= MOST_ROWS or not 2 <= least <= most <= MOST_SYMBOLS:
            raise PackageError(
                f"{rows} probability tables of {least} to {most} symbols are not 1 to {MOST_ROWS}"
                f" of 2 up to {MOST_SYMBOLS}."
            )
        held = np.arange(self.cdf.shape[1] - 1) < self.size[:, None]
        rises = (np.diff(self.cdf.astype(np.int64), axis=1) > 0) == held
        ends = self.cdf[:, 0].any() or (self.cdf[:, -1] != 2**PRECISION).any()
        if ends or not rises.all():
            raise PackageError(f"A probability table does not rise from 0 to 2 ** {PRECISION}.")

    @functools.cached_property
    def coarse(self) -> Array:
        """(rows, 2 ** COARSE) uint16: the symbol of the first slot of each part of a table."""
        first = np.arange(2**COARSE, dtype=np.int64) << PRECISION - COARSE
        rows = [np.searchsorted(row, first, side="right") - 1 for row in self.cdf.astype(np.int64)]
        found: Array = np.stack(rows).astype(np.uint16)
        return found

    @functools.cached_property
    def native(self) -> Any:
        """The tables as native code holds them, checked."""
        make = extension.loaded().rans_tables
        return make(*map(np.ascontiguousarray, (self.cdf, self.size, self.offset, self.coarse)))

    @functools.cached_property
    def models(self) -> list[Any]:
        """The model of each row for constriction, with exactly the table's counts.

        The coder multiplies what it is given by (2 ** PRECISION - size) / sum, sums it up and adds
        1 a symbol. Of counts less 1 that factor is exactly 1, and every sum is an integer below
        2 ** 24, which float32 holds.
        """
        return [
            constriction.stream.model.Categorical(
                (np.diff(row[: size + 1].astype(np.int64)) - 1).astype(np.float32), perfect=False
            )
            for row, size in zip(self.cdf, self.size, strict=True)
        ]
