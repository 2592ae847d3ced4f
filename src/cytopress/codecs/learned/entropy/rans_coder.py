"""Interleaved rANS coder of integers by rows of probability tables, with escapes.

Used like the range coder. A lane is a stack, so symbols are encoded last to first, when all are
known. The stream is the number of lanes, the number of words of all lanes but the last, and the
words of each lane.

Values outside their table are coded behind the call that they belong to: the number of their bits,
then their bits in groups of 8, as symbols of tables too. A decoder takes none of these for an index
without a check. Time and memory depend on how many integers are asked for, not on the bytes: those
of another stream decode to other integers, and are refused where they end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.container.wire import Reader, varints
from cytopress.codecs.learned.entropy.probability_tables import PRECISION, ProbabilityTables
from cytopress.errors import CorruptDataError
from cytopress.kernels.rans import LanesDecoder, encode, symbols_of
from cytopress.kernels.rans_tables import MOST_LANES, RansTables

Array = npt.NDArray[Any]
WORD = np.dtype("<u4")
# No value is farther from 0.
MOST_VALUE = 2**22
# Of an escaped value: zigzag doubles it, and tables start at most 2 ** 20 from 0.
MOST_BITS = 24
GROUP = 8
# Symbols that are not 0, for each lane: its words' number and last bits then cost 0.1 %.
PER_LANE = 2**12


def _escape_tables() -> ProbabilityTables:
    """Return the tables of escaped values: row 0 of bit counts, row b of b bits as they are."""
    counts = [np.maximum(2.0 ** (PRECISION - 1 - np.arange(MOST_BITS + 1)), 1).astype(np.int64)]
    counts += [np.full(2**bits, (2**PRECISION - 1) >> bits) for bits in range(1, GROUP + 1)]
    size = np.array([len(row) + 1 for row in counts])
    cdf = np.full((len(counts), size.max() + 1), 2**PRECISION, np.int64)
    for row, held in zip(cdf, counts, strict=True):
        # The tables' own escape is never used.
        held[0] += 2**PRECISION - 1 - held.sum()
        row[: len(held) + 1] = np.concatenate([[0], np.cumsum(held)])
    return ProbabilityTables(cdf, size, np.zeros(len(counts), np.int64))


ESCAPES = _escape_tables()


class RansEncoder:
    """Collects integers into one stream."""

    def __init__(self) -> None:
        self._calls: list[tuple[Array, Array, RansTables]] = []
        self._unlikely = 0

    def encode(self, values: Array, rows: Array, tables: ProbabilityTables) -> None:
        """Append integers, (n,), by their rows, (n,) of uint8, of ``tables``.

        None is farther from 0 than ``MOST_VALUE``.
        """
        values, rows = values.astype(np.int32, copy=False), rows.astype(np.uint8, copy=False)
        symbols, outside = symbols_of(values, rows, tables.lanes)
        self._unlikely += int(np.count_nonzero(values))
        self._calls.append((symbols, rows, tables.lanes))
        if outside.size:
            of = rows[outside]
            last = tables.size[of] - 1
            beyond = values[outside].astype(np.int64) - tables.offset[of]
            self._escape(np.where(beyond < 0, -2 * beyond - 1, 2 * (beyond - last)) + 1)

    def _escape(self, values: Array) -> None:
        """Append integers from 1 to 2 ** 25 - 1: lengths, then the bits below the highest."""
        lengths = np.frexp(values.astype(np.float64))[1] - 1
        self.encode(lengths, np.zeros(len(lengths), np.uint8), ESCAPES)
        for done, held, bits in _groups(lengths):
            self.encode(values[held] >> done & (1 << bits) - 1, bits.astype(np.uint8), ESCAPES)

    def bytes(self) -> bytes:
        """Return the stream."""
        lanes = 1
        while lanes < MOST_LANES and 2 * lanes * PER_LANE <= self._unlikely:
            lanes *= 2
        words = encode(self._calls, lanes)
        counts = (len(lane) for lane in words[:-1])
        parts = [lane.astype(WORD).tobytes() for lane in words]
        return varints(lanes, *counts) + b"".join(parts)


class RansDecoder:
    """Reads integers from a stream, in the order in which they were encoded.

    Parameters
    ----------
    stream : bytes
        What `RansEncoder` gave.

    Raises
    ------
    CorruptDataError
        The stream cannot be a `RansEncoder`'s; also when decoding.
    """

    def __init__(self, stream: bytes) -> None:
        reader = Reader(stream)
        lanes = reader.varint()
        if not 1 <= lanes <= MOST_LANES:
            raise CorruptDataError(f"The entropy coder's stream cannot have {lanes} lanes.")
        counts = [reader.varint() for _ in range(lanes - 1)]
        rest = reader.take(reader.left)
        if len(rest) % WORD.itemsize or sum(counts) * WORD.itemsize > len(rest):
            raise CorruptDataError(f"{len(rest)} bytes are not the words of {lanes} lanes.")
        words = np.frombuffer(rest, WORD).astype(np.uint32)
        self._lanes = LanesDecoder(np.split(words, np.cumsum(counts, dtype=np.int64)))

    def decode(self, rows: Array, tables: ProbabilityTables) -> Array:
        """Return the integers, (n,) of int32, that were encoded with these rows, (n,)."""
        rows = rows.astype(np.uint8, copy=False)
        values, escaped = self._lanes.decode(rows, tables.lanes)
        if escaped.size:
            of = rows[escaped]
            far, last = self._escaped(len(of)), tables.size[of] - 1
            beyond = np.where(far & 1, -(far + 1 >> 1), last + (far >> 1)) + tables.offset[of]
            if int(np.abs(beyond).max()) > MOST_VALUE:
                raise CorruptDataError("An escaped latent is farther from 0 than any can be.")
            values[escaped] = beyond
        return values

    def _escaped(self, count: int) -> Array:
        """Return how far values lie outside, zigzag coded."""
        lengths = self._plain(np.zeros(count, np.uint8))
        values = np.left_shift(np.int64(1), lengths)
        for done, held, bits in _groups(lengths):
            values[held] |= self._plain(bits.astype(np.uint8)) << done
        return values - 1

    def _plain(self, rows: Array) -> Array:
        values, escaped = self._lanes.decode(rows, ESCAPES.lanes)
        if escaped.size:
            raise CorruptDataError("An escaped latent has more bits than any can have.")
        return values.astype(np.int64)

    def finish(self) -> None:
        """Raise CorruptDataError unless everything was decoded, as only what was encoded is."""
        if not self._lanes.exhausted():
            raise CorruptDataError("The latents do not end where their bytes end.")


def _groups(lengths: Array) -> Iterator[tuple[int, Array, Array]]:
    """Yield bits that are coded at once: the first one, the values that have it, their numbers."""
    for done in range(0, MOST_BITS, GROUP):
        held = np.flatnonzero(lengths > done)
        if held.size:
            yield done, held, np.minimum(lengths[held] - done, GROUP)
