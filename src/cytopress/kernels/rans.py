"""Interleaved rANS: symbols of many tables in independent lanes, equal on every path.

A lane has a state of 64 bits and words of 32, as constriction's `AnsCoder`, by which the path
without native code codes. Symbols are coded in pieces, sorted by table within a piece; each lane
codes a share of each table's symbols. Duda, "Asymmetric numeral systems", 2013; Giesen,
"Interleaved entropy coders", 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import CorruptDataError
from cytopress.kernels import extension, paths
from cytopress.kernels.rans_native import NativeDecoder, NativeEncoder
from cytopress.kernels.rans_numpy import NumpyDecoder, NumpyEncoder
from cytopress.kernels.rans_tables import RansTables

Array = npt.NDArray[Any]


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
    coder: Any = (NumpyEncoder if path == paths.NUMPY else NativeEncoder)(lanes)
    for symbols, rows, tables in reversed(calls):
        _refuse_unknown(rows, tables)
        coder.push(symbols, rows, tables)
    found: list[Array] = coder.words()
    return found


def symbols_of(values: Array, rows: Array, tables: RansTables) -> tuple[Array, Array]:
    """Return the symbols, (n,) uint16, of values, (n,) int32, and the places of escapes, (m,).

    Escapes are values that are not in the table of their row, (n,) uint8: their symbol is the
    table's last one.

    Raises
    ------
    ValueError
        A row does not exist.
    """
    _refuse_unknown(rows, tables)
    out = np.empty(len(values), np.uint16)
    if paths.current(_known_answer) == paths.NUMPY:
        last = (tables.size - 1)[rows]
        symbols = values.astype(np.int64) - tables.offset[rows]
        outside = (symbols < 0) | (symbols >= last)
        out[:] = np.where(outside, last, symbols)
        return out, np.flatnonzero(outside)
    held = np.ascontiguousarray(values), np.ascontiguousarray(rows)
    places = np.empty(len(values), np.int32)
    count = extension.loaded().rans_symbols(*held, tables.native, out, places)
    return out, places[:count].astype(np.int64)


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
        kind = NumpyDecoder if path == paths.NUMPY else NativeDecoder
        self._coder: Any = kind([np.ascontiguousarray(lane, np.uint32) for lane in words])

    def decode(self, rows: Array, tables: RansTables) -> tuple[Array, Array]:
        """Return the values, (n,) int32, of rows, (n,) uint8, and the places of escapes, (m,).

        A stream that was not encoded so gives other values of these tables.

        Raises
        ------
        ValueError
            A row does not exist.
        """
        _refuse_other_types(rows)
        return self._coder.pop(rows, tables)  # type: ignore[no-any-return]

    def exhausted(self) -> bool:
        """Return whether every lane is at its end, as after everything that was encoded."""
        return self._coder.exhausted()  # type: ignore[no-any-return]


def _refuse_unknown(rows: Array, tables: RansTables) -> None:
    _refuse_other_types(rows)
    if rows.size and int(rows.max()) >= len(tables.size):
        raise ValueError(f"A row is not one of {len(tables.size)} tables.")


def _refuse_other_types(rows: Array) -> None:
    if rows.dtype != np.uint8 or rows.ndim != 1:
        raise ValueError(f"Rows are (n,) of uint8, not {rows.dtype} of shape {rows.shape}.")


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
            again = symbols_of(read[0] % 17 - 7, rows, tables)
            found.append((*words, *read, *again, np.array(decoder.exhausted())))
    return all(np.array_equal(*pair) for pair in zip(*found, strict=True))
