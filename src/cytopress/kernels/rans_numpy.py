"""Lanes of rANS without native code: constriction codes each lane's share of each table."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import constriction
import numpy as np
import numpy.typing as npt

from cytopress.kernels.rans_tables import ESCAPE, PIECE, RansTables

Array = npt.NDArray[Any]
# Of one piece: its places in sorted order, and of each of its rows the cuts between the lanes'
# shares, the row's first and last ones included.
Sorted = tuple[Array, list[tuple[int, list[int]]]]


def _pieces(rows: Array, lanes: int) -> Iterator[tuple[slice, Sorted]]:
    """Yield pieces in order."""
    for start in range(0, len(rows), PIECE):
        piece = slice(start, min(start + PIECE, len(rows)))
        held = rows[piece]
        counts, shares, end = np.bincount(held), [], 0
        for row in np.flatnonzero(counts).tolist():
            first, count = end, int(counts[row])
            shares.append((row, [first + count * lane // lanes for lane in range(lanes + 1)]))
            end += count
        # A stable sort of uint8 is one pass of counting.
        yield piece, (np.argsort(held, kind="stable"), shares)


class NumpyEncoder:
    """Lanes that symbols are pushed on, last ones first."""

    def __init__(self, lanes: int) -> None:
        self._lanes = [constriction.stream.stack.AnsCoder() for _ in range(lanes)]

    def push(self, symbols: Array, rows: Array, tables: RansTables) -> None:
        """Encode symbols, (n,) uint16, of rows, (n,) uint8, before those that were pushed."""
        if (symbols >= tables.size[rows]).any():
            raise ValueError("A symbol is not in its table.")
        for piece, (order, shares) in reversed(list(_pieces(rows, len(self._lanes)))):
            ordered = symbols[piece][order].astype(np.int32)
            for row, cuts in reversed(shares):
                for lane, (first, end) in zip(self._lanes, pairwise(cuts), strict=True):
                    if first < end:
                        lane.encode_reverse(ordered[first:end], tables.models[row])

    def words(self) -> list[Array]:
        """Return the words of each lane, uint32."""
        return [lane.get_compressed() for lane in self._lanes]


class NumpyDecoder:
    """Lanes that symbols are popped from."""

    def __init__(self, words: list[Array]) -> None:
        self._lanes = [constriction.stream.stack.AnsCoder(lane) for lane in words]

    def pop(self, rows: Array, tables: RansTables) -> tuple[Array, Array]:
        """Return the values, (n,) int32, of rows, (n,) uint8, and the places of escapes, (m,)."""
        if rows.size and int(rows.max()) >= len(tables.size):
            raise ValueError(f"A row is not one of {len(tables.size)} tables.")
        out, escapes = np.empty(len(rows), np.int32), 0
        for piece, (order, shares) in _pieces(rows, len(self._lanes)):
            ordered = np.empty(len(order), np.int32)
            for row, cuts in shares:
                for lane, (first, end) in zip(self._lanes, pairwise(cuts), strict=True):
                    if first < end:
                        ordered[first:end] = lane.decode(tables.models[row], end - first)
                held = ordered[cuts[0] : cuts[-1]]
                last = int(tables.size[row]) - 1
                escaped = held == last if int(held.max()) == last else None
                held += tables.offset[row]
                if escaped is not None:
                    held[escaped] = ESCAPE
                    escapes += 1
            out[piece][order] = ordered
        return out, np.flatnonzero(out == ESCAPE) if escapes else np.empty(0, np.int64)

    def exhausted(self) -> bool:
        """Return whether every lane is at its end."""
        return all(lane.is_empty() for lane in self._lanes)
