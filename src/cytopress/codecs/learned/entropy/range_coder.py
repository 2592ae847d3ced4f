"""Range coder: integers to bytes and back, each by a probability table of its own.

The integers are sorted by table, and each group is coded in one call of the range coder; the order
follows from the tables alone, which a decoder knows. After the groups come the escaped values, in
Elias' gamma code: the number of bits by a table, then the bits as they are, in the same stream.

A range coder reads past the end of its bytes without noticing. So a decoder adds up the least bits
that its integers can cost, and refuses a stream that is too short for them before it decodes any.
Damage that passes this check decodes to noise, which the caller's checksum finds. Time and memory
depend on how many integers are asked for, not on the bytes.
"""

from __future__ import annotations

from typing import Any

import constriction
import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import PRECISION, ProbabilityTables
from cytopress.codecs.learned.entropy.table_groups import Groups
from cytopress.errors import CorruptDataError

Array = npt.NDArray[Any]
WORD = np.dtype("<u4")
# No value is farther from 0.
MOST_VALUE = 2**30
# Bits of an escaped value: zigzag doubles it, and tables start at most 2 ** 20 from 0.
MOST_BITS = 32
CHUNK_BITS = 16
# A range coder's bytes may be shorter than the bits of its symbols by less than this.
SLACK_BITS = 64


def _lengths() -> ProbabilityTables:
    """Return the table of escaped values' bit counts: 0 for half of them, 1 for a quarter, ..."""
    counts = np.maximum(2.0 ** (PRECISION - 1 - np.arange(MOST_BITS + 1)), 1).astype(np.int64)
    counts[0] += 2**PRECISION - 1 - counts.sum()
    cdf = np.concatenate(([0], np.cumsum(counts), [2**PRECISION]))[None]
    # The table's own escape is never used.
    return ProbabilityTables(cdf, np.array([MOST_BITS + 2]), np.array([0]))


LENGTHS = _lengths()


class RangeEncoder:
    """Collects integers into one stream."""

    def __init__(self) -> None:
        self._coder = constriction.stream.queue.RangeEncoder()

    def encode(self, values: Array, rows: Array, tables: ProbabilityTables) -> None:
        """Append integers, (n,), by their rows, (n,) of uint8, of ``tables``.

        None is farther from 0 than ``MOST_VALUE``.
        """
        groups = Groups(rows, len(tables))
        ordered = groups.gather(values)
        escaped = []
        start = 0
        for row, end in enumerate(groups.ends):
            if end > start:
                group, last = ordered[start:end], int(tables.size[row]) - 1
                group -= int(tables.offset[row])
                if int(group.min()) < 0 or int(group.max()) >= last:
                    outside = (group < 0) | (group >= last)
                    beyond = group[outside].astype(np.int64)
                    escaped.append(np.where(beyond < 0, -2 * beyond - 1, 2 * (beyond - last)))
                    group[outside] = last
                self._coder.encode(group, tables.models[row])
            start = end
        if escaped:
            self._encode_escaped(np.concatenate(escaped) + 1)

    def _encode_escaped(self, values: Array) -> None:
        """Append integers from 1 to 2 ** 33 - 1."""
        lengths = np.frexp(values.astype(np.float64))[1] - 1
        self._coder.encode(lengths.astype(np.int32), LENGTHS.models[0])
        for done, bits, held in _chunks(lengths):
            chunk = values[held] >> done & (1 << bits) - 1
            self._coder.encode(chunk.astype(np.int32), _uniform(bits))

    def bytes(self) -> bytes:
        """Return the stream."""
        return bytes(self._coder.get_compressed().astype(WORD).tobytes())


class RangeDecoder:
    """Reads integers from a stream, in the order in which they were encoded.

    Raises
    ------
    CorruptDataError
        The stream cannot be a `RangeEncoder`'s; also when decoding.
    """

    def __init__(self, stream: bytes) -> None:
        if len(stream) % WORD.itemsize:
            raise CorruptDataError(f"A range coder's stream cannot have {len(stream)} bytes.")
        words = np.frombuffer(stream, WORD).astype(np.uint32)
        self._coder = constriction.stream.queue.RangeDecoder(words)
        self._bits_left = 8.0 * len(stream) + SLACK_BITS

    def decode(self, rows: Array, tables: ProbabilityTables) -> Array:
        """Return the integers, (n,) of int32, that were encoded with these rows, (n,)."""
        groups = Groups(rows, len(tables))
        self._spend(groups.counts, tables)
        ordered = np.empty(len(rows), np.int32)
        escapes: list[Array] = []
        starts: list[tuple[int, int]] = []
        start = 0
        for row, end in enumerate(groups.ends):
            if end > start:
                group = self._symbols(tables.models[row], end - start)
                last = int(tables.size[row]) - 1
                if int(group.max()) == last:
                    escapes.append(start + np.flatnonzero(group == last))
                    starts.append((row, len(escapes[-1])))
                np.add(group, int(tables.offset[row]), out=ordered[start:end])
            start = end
        if escapes:
            self._decode_escaped(ordered, np.concatenate(escapes), starts, tables)
        return groups.scatter(ordered)

    def _spend(self, counts: Array, tables: ProbabilityTables) -> None:
        least = counts @ tables.least_bits
        # Costs are rounded to float32.
        self._bits_left -= float(least) * 0.999
        if self._bits_left < 0:
            raise CorruptDataError(
                f"The latents end early: the bytes left cannot hold {counts.sum()} more of them."
            )

    def _decode_escaped(
        self,
        ordered: Array,
        places: Array,
        groups: list[tuple[int, int]],
        tables: ProbabilityTables,
    ) -> None:
        lengths = self._symbols(LENGTHS.models[0], len(places))
        if int(lengths.max()) > MOST_BITS:
            raise CorruptDataError("An escaped latent has more bits than any can have.")
        values = np.left_shift(np.int64(1), lengths.astype(np.int64))
        for done, bits, held in _chunks(lengths):
            chunk = self._symbols(_uniform(bits), int(np.count_nonzero(held)))
            values[held] |= chunk.astype(np.int64) << done
        values -= 1
        rows, counts = (np.array(column) for column in zip(*groups, strict=True))
        offset = np.repeat(tables.offset[rows], counts)
        last = np.repeat(tables.size[rows] - 1, counts)
        far = np.where(values & 1, -(values + 1 >> 1), last + (values >> 1)) + offset
        if int(np.abs(far).max()) > MOST_VALUE:
            raise CorruptDataError("An escaped latent is farther from 0 than any can be.")
        ordered[places] = far

    def _symbols(self, model: Any, count: int) -> Array:
        try:
            return self._coder.decode(model, count)  # type: ignore[no-any-return]
        except (AssertionError, ValueError) as error:
            raise CorruptDataError(f"The latents are damaged ({error}).") from error

    def finish(self) -> None:
        """Raise CorruptDataError if bytes are left."""
        if not self._coder.maybe_exhausted():
            raise CorruptDataError("The latents are followed by bytes that do not belong to them.")


def _chunks(lengths: Array) -> list[tuple[int, int, Array]]:
    """Return the bits that are coded at once: first bit, number of bits, mask of the values."""
    found: list[tuple[int, int, Array]] = []
    for length in np.flatnonzero(np.bincount(lengths)):
        held = lengths == length
        starts = range(0, int(length), CHUNK_BITS)
        found += [(done, min(CHUNK_BITS, int(length) - done), held) for done in starts]
    return found


def _uniform(bits: int) -> Any:
    return constriction.stream.model.Uniform(1 << bits)
