"""Lanes of rANS by native code: states and words as constriction has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, threads, workspace
from cytopress.kernels.rans_tables import ESCAPE, PIECE, RansTables
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
NONE: Array = np.empty(0, np.int64)
# Pieces for each thread that are sorted before they are decoded.
SORTED = 4


class NativeEncoder:
    """Lanes that symbols are pushed on, last ones first."""

    def __init__(self, lanes: int) -> None:
        self._states = np.zeros(lanes, np.uint64)
        self._words: list[list[Array]] = [[] for _ in range(lanes)]

    def push(self, symbols: Array, rows: Array, tables: RansTables) -> None:
        """Encode symbols, (n,) uint16, of rows, (n,) uint8, before those that were pushed."""
        lanes = len(self._states)
        # A symbol adds a word at most.
        room = np.empty(lanes * (len(rows) // lanes + 2**8 * (len(rows) // PIECE + 1)), np.uint32)
        counts = np.zeros(lanes, np.int64)
        extension.loaded().rans_encode(
            np.ascontiguousarray(symbols),
            np.ascontiguousarray(rows),
            tables.native,
            self._states,
            room,
            counts,
        )
        for words, part, count in zip(self._words, room.reshape(lanes, -1), counts, strict=True):
            words.append(part[:count].copy())

    def words(self) -> list[Array]:
        """Return the words of each lane, uint32."""
        # What is left of a state are its last words, the low one first, without a high word of 0.
        ends = self._states.view("<u4").reshape(-1, 2)
        kept = [end[: 2 if end[1] else 1 if end[0] else 0] for end in ends.astype(np.uint32)]
        pairs = zip(self._words, kept, strict=True)
        return [np.concatenate([*words, end]) for words, end in pairs]


class NativeDecoder:
    """Lanes that symbols are popped from."""

    def __init__(self, words: list[Array]) -> None:
        self._words = np.concatenate(words)
        ends = np.cumsum([len(lane) for lane in words])
        self._starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
        self._ends = ends.astype(np.int64)
        self._states = np.zeros(len(words), np.uint64)
        self._room: tuple[int, Any] = 0, None
        for lane in range(len(words)):
            # Up to two words make the first state.
            while self._ends[lane] > self._starts[lane] and self._states[lane] < 2**32:
                self._ends[lane] -= 1
                word = int(self._words[self._ends[lane]])
                self._states[lane] = (int(self._states[lane]) << 32) | word

    def pop(self, rows: Array, tables: RansTables) -> tuple[Array, Array]:
        """Return the values, (n,) int32, of rows, (n,) uint8, and the places of escapes, (m,)."""
        out, rows = workspace.empty((len(rows),), np.int32), np.ascontiguousarray(rows)
        # Threads that share lanes sort a few pieces together, and decode then.
        step = len(rows) if threads.number() == 1 else PIECE * SORTED * threads.number()
        found = [
            self._pop(rows[start : start + step], tables, out[start : start + step]) + start
            for start in range(0, len(rows), max(step, 1))
        ]
        return out, np.concatenate(found) if found else NONE

    def _pop(self, rows: Array, tables: RansTables, out: Array) -> Array:
        """Write the values of some rows; return the places of escapes."""
        native, pieces, order = extension.loaded(), -(-len(rows) // PIECE), None
        escapes = np.zeros((len(self._states), pieces), np.int64)
        if threads.number() > 1 and len(self._states) > 1:
            if pieces > 1:
                order = self._order(min(len(rows), PIECE * SORTED * threads.number()))

            def begin(first: int, end: int) -> None:
                # Lanes that share a piece write what is not 0.
                out[first * PIECE : end * PIECE] = 0
                if order is not None:
                    native.rans_sort(order, rows, (first, end))

            in_spans(begin, pieces)
        held = self._words, self._starts, self._ends, self._states, escapes, out

        def lanes(first: int, end: int) -> None:
            native.rans_decode(rows, tables.native, order, *held, (first, end))

        in_spans(lanes, len(self._states))
        if not escapes.any():
            return NONE
        starts = np.flatnonzero(escapes.any(0)) * PIECE
        found: list[Array] = [NONE] * len(starts)

        def search(first: int, end: int) -> None:
            for n in range(first, end):
                part = out[starts[n] : starts[n] + PIECE]
                found[n] = np.flatnonzero(part == ESCAPE) + starts[n]

        in_spans(search, len(starts))
        return np.concatenate(found)

    def _order(self, count: int) -> Any:
        """Return room for sorted places; it is taken again."""
        if count > self._room[0]:
            self._room = count, extension.loaded().rans_order(count)
        return self._room[1]

    def exhausted(self) -> bool:
        """Return whether every lane is at its end."""
        return bool((self._ends == self._starts).all()) and not self._states.any()
