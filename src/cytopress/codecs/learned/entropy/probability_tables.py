"""Probability tables of integers, and the range coder's models of them.

A table is a row of cumulative counts out of ``2 ** PRECISION``. Symbol ``s`` of a row stands for
the value ``s + offset``; the last symbol of a row is the escape, of values outside the table.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import constriction
import numpy as np
import numpy.typing as npt

from cytopress.errors import PackageError
from cytopress.kernels.rans_tables import RansTables

Array = npt.NDArray[Any]
PRECISION = 24
# No useful table starts farther from 0; the bound keeps every sum within 32 bits.
MOST_OFFSET = 2**20
# Counts of all rows, each padded to the longest: bounds the memory of a crafted package.
MOST_COUNTS = 2**24
# Values up to this have costs of their own where costs are only compared.
MOST_COUNTED = 255


def padded_rows(joined: Array, size: Array) -> Array:
    """Return the counts of `ProbabilityTables`, (rows, longest + 1), of rows stored in one array.

    Parameters
    ----------
    joined : ndarray
        (n,) of integers: of each row ``size`` + 1 counts, one row behind the other.
    size : ndarray
        (rows,) symbols of each row.

    Raises
    ------
    PackageError
        The arrays are no such rows.
    """
    if size.ndim != 1 or not size.size or size.dtype.kind not in "iu" or size.min() < 1:
        raise PackageError("Probability tables have 2 symbols or more each, counted in integers.")
    counts = size.astype(np.int64) + 1
    if counts.sum() != len(joined) or counts.max() * len(counts) > MOST_COUNTS:
        raise PackageError(
            f"Probability tables cannot have {size.sum()} symbols in {len(joined)} counts."
        )
    rows = np.zeros((len(counts), counts.max()), joined.dtype)
    rows[np.arange(counts.max()) < counts[:, None]] = joined
    return rows


@dataclass(frozen=True, eq=False)
class ProbabilityTables:
    """Probability tables as rows of cumulative counts.

    Parameters
    ----------
    cdf : ndarray
        (rows, longest + 1) of integers; row r counts up from 0 to ``2 ** PRECISION`` over its first
        ``size[r]`` symbols, by at least 1 each; the rest of the row is ignored.
    size : ndarray
        (rows,) symbols of each row, the escape included; at least 2.
    offset : ndarray
        (rows,) value of each row's first symbol.

    Raises
    ------
    PackageError
        The arrays are no such tables.
    """

    cdf: Array
    size: Array
    offset: Array

    def __post_init__(self) -> None:
        for name in ("cdf", "size", "offset"):
            array = getattr(self, name)
            if array.dtype.kind not in "iu":
                raise PackageError(
                    f"A probability table's {name} is of integers, not {array.dtype}."
                )
            object.__setattr__(self, name, array.astype(np.int64))
        rows = len(self.size)
        if self.cdf.ndim != 2 or not self.cdf.shape[:1] == self.size.shape == self.offset.shape:
            raise PackageError(
                f"Probability tables of shapes {self.cdf.shape}, {self.size.shape} and"
                f" {self.offset.shape} do not belong together."
            )
        if not rows or self.size.min() < 2 or self.size.max() >= self.cdf.shape[1]:
            raise PackageError("A probability table needs 2 symbols or more, and all of its row.")
        if np.abs(self.offset).max() > MOST_OFFSET:
            raise PackageError(f"A probability table starts farther than {MOST_OFFSET} from 0.")
        for row, size in zip(self.cdf, self.size, strict=True):
            if row[0] or row[size] != 2**PRECISION or np.diff(row[: size + 1]).min() < 1:
                raise PackageError(
                    f"A probability table does not rise from 0 to 2 ** {PRECISION}; export the"
                    " model again."
                )

    def __len__(self) -> int:
        return len(self.size)

    @functools.cached_property
    def models(self) -> list[Any]:
        """The range coder's model of each row, with exactly the counts of the table.

        The coder multiplies what it is given by (2 ** PRECISION - size) / sum, sums it up and adds
        1 a symbol. Of counts less 1 that factor is exactly 1, and every sum is an integer below
        2 ** 24, which float32 holds.
        """
        return [
            constriction.stream.model.Categorical(
                (np.diff(row[: size + 1]) - 1).astype(np.float32), perfect=False
            )
            for row, size in zip(self.cdf, self.size, strict=True)
        ]

    @functools.cached_property
    def lanes(self) -> RansTables:
        """The tables of interleaved rANS.

        Raises
        ------
        PackageError
            A table has more than 2 ** 16 symbols, or there are more than 256.
        """
        cdf = self.cdf.copy()
        # Behind a row's end anything may stand.
        cdf[np.arange(cdf.shape[1]) > self.size[:, None]] = 2**PRECISION
        size, offset = (a.astype(np.int32) for a in (self.size, self.offset))
        return RansTables(cdf.astype(np.uint32), size, offset)

    @functools.cached_property
    def bits(self) -> Array:
        """(rows, longest) float32: bits of each symbol; infinite behind a row's last one."""
        counts = np.diff(self.cdf, axis=1).astype(np.float64)
        known = np.arange(counts.shape[1]) < self.size[:, None]
        cost = np.full(counts.shape, np.inf, np.float32)
        cost[known] = PRECISION - np.log2(counts[known])
        return cost

    @functools.cached_property
    def bits_by_size(self) -> Array:
        """(rows, MOST_COUNTED + 1) float32: bits of the values from 0, escaped ones too."""
        size = np.arange(MOST_COUNTED + 1)
        last = (self.size - 1)[:, None]
        symbols = np.clip(size - self.offset[:, None], 0, last)
        found: Array = np.take_along_axis(self.bits, symbols, 1)
        # An escape costs about two bits more for each octave that it lies outside.
        beyond = size - self.offset[:, None] - last
        outside = beyond >= 0
        found[outside] += 2 * np.floor(np.log2(2 * beyond[outside] + 1)) + 1
        return found

    @functools.cached_property
    def least_bits(self) -> Array:
        """(rows,) float64: bits of the cheapest symbol of each row."""
        least: Array = self.bits.min(axis=1).astype(np.float64)
        return least


def channel_rows(tables: ProbabilityTables, shape: tuple[int, ...], node: int) -> Array:
    """Return the table of each value, flat, of ``shape`` (C, h, w): one for each channel.

    Tables are those of the channels, or those of each gain node and channel.
    """
    start = node * shape[0] if len(tables) > shape[0] else 0
    kind = np.uint8 if len(tables) <= 256 else np.uint16
    return np.repeat(np.arange(start, start + shape[0], dtype=kind), shape[1] * shape[2])
