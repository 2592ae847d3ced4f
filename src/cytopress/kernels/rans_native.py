"""Lanes of rANS by native code: states and words as constriction has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension
from cytopress.kernels.rans_tables import PIECE, RansTables
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]


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
        for lane in range(len(words)):
            # Up to two words make the first state.
            while self._ends[lane] > self._starts[lane] and self._states[lane] < 2**32:
                self._ends[lane] -= 1
                word = int(self._words[self._ends[lane]])
                self._states[lane] = (int(self._states[lane]) << 32) | word

    def pop(self, rows: Array, tables: RansTables) -> tuple[Array, int]:
        """Return the values, (n,) int32, of rows, (n,) uint8; and 0 if none is an escape."""
        out, escapes = np.empty(len(rows), np.int32), np.zeros(len(self._states), np.int64)
        rows, call = np.ascontiguousarray(rows), extension.loaded().rans_decode
        held = self._words, self._starts, self._ends, self._states, escapes

        def lanes(first: int, end: int) -> None:
            call(rows, tables.native, *held, out, (first, end))

        in_spans(lanes, len(self._states))
        return out, int(escapes.sum())

    def exhausted(self) -> bool:
        """Return whether every lane is at its end."""
        return bool((self._ends == self._starts).all()) and not self._states.any()
