"""Interleaved rANS: symbols of many tables in independent lanes, equal on every path.

A lane has a state of 64 bits and words of 32, as constriction's `AnsCoder`, by which the path
without native code codes. Symbols are coded in pieces, sorted by table within a piece; each lane
codes a share of each table's symbols. Duda, "Asymmetric numeral systems", 2013; Giesen,
"Interleaved entropy coders", 2014.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import constriction
import numpy as np
import numpy.typing as npt

from cytopress.errors import CorruptDataError, PackageError
from cytopress.kernels import extension, paths
from cytopress.kernels.threads import in_spans

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
_NONE: Array = np.empty(0, np.int64)


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
        return np.stack(rows).astype(np.uint16)

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


def encode(calls: Sequence[tuple[Array, Array, RansTables]], lanes: int) -> list[Array]:
    """Return the words, uint32, of each lane.

    Parameters
    ----------
    calls : sequence of tuple
        In the order in which they are decoded: symbols, (n,) uint16; their rows, (n,) uint8; the
        tables.
    lanes : int
        From 1 to 16.

    Raises
    ------
    ValueError
        A symbol or row does not exist.
    """
    path = paths.current(_known_answer)
    coder: Any = (_NumpyEncoder if path == paths.NUMPY else _NativeEncoder)(lanes)
    for symbols, rows, tables in reversed(calls):
        _refuse_unknown(rows, tables)
        if symbols.size and bool((symbols >= tables.size[rows]).any()):
            raise ValueError("A symbol is not in its table.")
        coder.push(symbols, rows, tables)
    found: list[Array] = coder.words()
    return found


class LanesDecoder:
    """Reads symbols from lanes.

    Parameters
    ----------
    words : sequence of ndarray
        (n,) uint32 of each lane, at most 16 lanes.

    Raises
    ------
    CorruptDataError
        A lane ends in a word of 0, as none does.
    """

    def __init__(self, words: Sequence[Array]) -> None:
        if any(len(lane) and not lane[-1] for lane in words):
            raise CorruptDataError("A lane of the entropy coder ends in a word of 0.")
        path = paths.current(_known_answer)
        kind = _NumpyDecoder if path == paths.NUMPY else _NativeDecoder
        self._coder: Any = kind([np.ascontiguousarray(lane, np.uint32) for lane in words])

    def decode(self, rows: Array, tables: RansTables, *, threads: int = 1) -> tuple[Array, Array]:
        """Return the values, (n,) int32, of rows, (n,) uint8, and the places of escapes, (m,).

        A stream that was not encoded so gives other values of these tables.

        Raises
        ------
        ValueError
            A row does not exist.
        """
        _refuse_unknown(rows, tables)
        values, escapes = self._coder.pop(rows, tables, threads)
        return values, np.flatnonzero(values == ESCAPE) if escapes else _NONE

    def exhausted(self) -> bool:
        """Return whether every lane is at its end, as after everything that was encoded."""
        return self._coder.exhausted()  # type: ignore[no-any-return]


def _refuse_unknown(rows: Array, tables: RansTables) -> None:
    if rows.dtype != np.uint8 or rows.ndim != 1:
        raise ValueError(f"Rows are (n,) of uint8, not {rows.dtype} of shape {rows.shape}.")
    if rows.size and int(rows.max()) >= len(tables.size):
        raise ValueError(f"A row is not one of {len(tables.size)} tables.")


def _shares(rows: Array, lanes: int) -> Iterator[tuple[int, list[Array]]]:
    """Yield each row of each piece, with the places of its symbols by lane, in order of coding."""
    for start in range(0, len(rows), PIECE):
        piece = rows[start : start + PIECE]
        order = np.argsort(piece, kind="stable") + start
        ends = np.cumsum(np.bincount(piece))
        for row, places in enumerate(np.split(order, ends[:-1])):
            if places.size:
                cuts = [len(places) * lane // lanes for lane in range(1, lanes)]
                yield row, np.split(places, cuts)


class _NumpyEncoder:
    def __init__(self, lanes: int) -> None:
        self._lanes = [constriction.stream.stack.AnsCoder() for _ in range(lanes)]

    def push(self, symbols: Array, rows: Array, tables: RansTables) -> None:
        for row, shares in reversed(list(_shares(rows, len(self._lanes)))):
            for lane, places in zip(self._lanes, shares, strict=True):
                if places.size:
                    lane.encode_reverse(symbols[places].astype(np.int32), tables.models[row])

    def words(self) -> list[Array]:
        return [lane.get_compressed() for lane in self._lanes]


class _NumpyDecoder:
    def __init__(self, words: list[Array]) -> None:
        self._lanes = [constriction.stream.stack.AnsCoder(lane) for lane in words]

    def pop(self, rows: Array, tables: RansTables, threads: int) -> tuple[Array, int]:  # noqa: ARG002
        out, escapes = np.empty(len(rows), np.int32), 0
        for row, shares in _shares(rows, len(self._lanes)):
            last = int(tables.size[row]) - 1
            for lane, places in zip(self._lanes, shares, strict=True):
                if places.size:
                    symbols = lane.decode(tables.models[row], len(places))
                    escaped = symbols == last
                    symbols += tables.offset[row]
                    if escaped.any():
                        symbols[escaped] = ESCAPE
                        escapes += 1
                    out[places] = symbols
        return out, escapes

    def exhausted(self) -> bool:
        return all(lane.is_empty() for lane in self._lanes)


class _NativeEncoder:
    def __init__(self, lanes: int) -> None:
        self._states = np.zeros(lanes, np.uint64)
        self._words: list[list[Array]] = [[] for _ in range(lanes)]

    def push(self, symbols: Array, rows: Array, tables: RansTables) -> None:
        lanes = len(self._states)
        # A symbol adds a word at most.
        room = np.empty(lanes * (len(rows) // lanes + 2**8 * (len(rows) // PIECE + 1)), np.uint32)
        counts = np.zeros(lanes, np.int64)
        extension.loaded().rans_encode(
            np.ascontiguousarray(symbols),
            np.ascontiguousarray(rows),
            tables.cdf,
            tables.size,
            self._states,
            room,
            counts,
        )
        for words, part, count in zip(self._words, room.reshape(lanes, -1), counts, strict=True):
            words.append(part[:count].copy())

    def words(self) -> list[Array]:
        # What is left of a state are its last words, the low one first, without a high word of 0.
        ends = self._states.view("<u4").reshape(-1, 2)
        kept = [end[: 2 if end[1] else 1 if end[0] else 0] for end in ends.astype(np.uint32)]
        pairs = zip(self._words, kept, strict=True)
        return [np.concatenate([*words, end]) for words, end in pairs]


class _NativeDecoder:
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

    def pop(self, rows: Array, tables: RansTables, threads: int) -> tuple[Array, int]:
        out, escapes = np.empty(len(rows), np.int32), np.zeros(len(self._states), np.int64)
        rows, call = np.ascontiguousarray(rows), extension.loaded().rans_decode
        model = tables.cdf, tables.size, tables.offset, tables.coarse
        held = self._words, self._starts, self._ends, self._states, escapes

        def lanes(first: int, end: int) -> None:
            call(rows, *model, *held, out, (first, end))

        in_spans(lanes, len(self._states), threads)
        return out, int(escapes.sum())

    def exhausted(self) -> bool:
        return bool((self._ends == self._starts).all()) and not self._states.any()


def _known_answer(path: str) -> bool:
    """Return whether a path codes as numpy's does."""
    cdf = np.array([[0, 9, 2**23, 2**24, 2**24], [0, 1, 2, 2**24 - 77, 2**24]], np.uint32)
    tables = RansTables(cdf, np.array([3, 4], np.int32), np.array([-5, 9], np.int32))
    numbers = np.arange(200)
    rows = (numbers * 7919 % 13 % 2).astype(np.uint8)
    symbols = (numbers * 104729 % 11 % tables.size[rows]).astype(np.uint16)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            words = encode([(symbols, rows, tables)], 3)
            decoder = LanesDecoder(words)
            read = decoder.decode(rows, tables)
            found.append((*words, *read, np.array(decoder.exhausted())))
    return all(np.array_equal(*pair) for pair in zip(*found, strict=True))
