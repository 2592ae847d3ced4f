"""Grouping of values by probability table, and back, a piece at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# Values sorted at once: the temporary arrays of a sort stay in the cache.
PIECE = 2**18


class Groups:
    """The order of values that are sorted by row, stable within a row.

    Parameters
    ----------
    rows : ndarray
        (n,) of uint8 or uint16.
    count : int
        Number of rows.

    Attributes
    ----------
    counts : ndarray
        (count,) number of values of each row.
    ends : list of int
        Where each row's values end in sorted order.
    """

    def __init__(self, rows: Array, count: int) -> None:
        self._rows = rows
        self._pieces = [slice(start, start + PIECE) for start in range(0, len(rows), PIECE)]
        found = [np.bincount(rows[piece], minlength=count) for piece in self._pieces]
        before = np.cumsum([np.zeros(count, np.int64), *found], axis=0)
        self.counts: Array = before[-1]
        self.ends: list[int] = np.cumsum(self.counts).tolist()
        # Where the values of each piece and row start.
        self._starts = before[:-1] + (np.array(self.ends, np.int64) - self.counts)
        self._shares = found

    def gather(self, values: Array) -> Array:
        """Return values, (n,) int32, sorted."""
        ordered = np.empty(len(values), np.int32)
        for index, piece in enumerate(self._pieces):
            part, start = values[piece][self._order(piece)], 0
            for target in self._places(index):
                end = start + target.stop - target.start
                ordered[target] = part[start:end]
                start = end
        return ordered

    def scatter(self, ordered: Array) -> Array:
        """Return values in their own order, (n,) int32; the inverse of `gather`."""
        values = np.empty_like(ordered)
        for index, piece in enumerate(self._pieces):
            parts = [ordered[place] for place in self._places(index)]
            values[piece][self._order(piece)] = np.concatenate(parts)
        return values

    def _places(self, index: int) -> list[slice]:
        share, starts = self._shares[index], self._starts[index]
        held = np.flatnonzero(share)
        first, end = starts[held], starts[held] + share[held]
        return [slice(*ends) for ends in zip(first.tolist(), end.tolist(), strict=True)]

    def _order(self, piece: slice) -> Array:
        # A stable sort of uint8 is one pass of counting.
        return np.argsort(self._rows[piece], kind="stable")
