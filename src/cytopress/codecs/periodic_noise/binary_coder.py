"""Adaptive binary range coder: decisions to bytes and back, for a few hundred bytes of numbers.

Each decision has a context, whose probability follows the decisions made in it; all of it is in
integers. Numbers are coded by decisions: their length in bits in unary, then the bits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from cytopress.errors import CorruptDataError

# Probabilities are out of 2 ** BITS, and none is nearer to 0 or 1 than LEAST.
BITS, LEAST = 16, 2**9
# A context's probability is a mean over its last so many decisions, over all in the beginning.
MEMORY = 48
# Probability of one half; that a number goes on, before any is seen; and the decisions by which
# such a beginning is outweighed.
EVEN, LONGER, TRUST = 2**15, 47186, 4
# The interval has between 24 and 32 bits.
TOP, LOW = 2**32, 2**24
# Zeros at the end that are not written. The first bytes that a decoder reads are as many.
UNWRITTEN = 4
# Of a number: no honest one has more bits.
MOST_BITS = 40


class BinaryCoder(ABC):
    """Numbers by decisions, for encoder and decoder alike: each returns what is coded."""

    def __init__(self) -> None:
        self._states: dict[tuple[object, ...], tuple[int, int]] = {}

    def bit(self, value: int, *context: object, prior: int = EVEN) -> int:
        """Code a decision in a context; a decoder ignores the value.

        ``prior`` is the probability of a one, out of ``2 ** BITS``, before any decision in
        the context.
        """
        one, seen = self._states.get(context, (prior, TRUST if prior != EVEN else 0))
        coded = self._code(value, one)
        one += ((coded << BITS) - one) // (seen + 2)
        one = min(max(one, LEAST), (1 << BITS) - LEAST)
        self._states[context] = one, min(seen + 1, MEMORY)
        return coded

    def raw(self, value: int, count: int) -> int:
        """Code a number of ``count`` bits, all equally likely."""
        coded = 0
        for place in reversed(range(count)):
            coded = coded << 1 | self._code(value >> place & 1, 1 << BITS - 1)
        return coded

    def number(self, value: int, *context: object) -> int:
        """Code a number from 0 on: its length by context, its bits as they are."""
        length, place = (value + 1).bit_length() - 1, 0
        while self.bit(place < length, *context, place, prior=LONGER):
            place += 1
            if place > MOST_BITS:
                raise too_long()
        return (1 << place | self.raw(value + 1 & (1 << place) - 1, place)) - 1

    def signed(self, value: int, *context: object) -> int:
        """Code a number of either sign."""
        coded = self.number(2 * value if value >= 0 else -2 * value - 1, *context)
        return -(coded + 1 >> 1) if coded & 1 else coded >> 1

    @abstractmethod
    def _code(self, bit: int, one: int) -> int:
        """Code a decision whose probability of a one is ``one / 2 ** BITS``."""


class BinaryEncoder(BinaryCoder):
    """Collects decisions."""

    def __init__(self) -> None:
        super().__init__()
        self._low, self._range, self._shifts = 0, TOP - 1, 0

    def _code(self, bit: int, one: int) -> int:
        split = (self._range >> BITS) * one
        if bit:
            self._range = split
        else:
            self._low += split
            self._range -= split
        while self._range < LOW:
            self._range <<= 8
            self._low <<= 8
            self._shifts += 1
        return bit

    def bytes(self) -> bytes:
        """Return the shortest bytes that decode, with at most `UNWRITTEN` zeros left out."""
        bits = 32 + 8 * self._shifts
        for dropped in range(bits, -1, -8):
            # The number in the interval that ends in most zero bytes.
            value = -(-self._low >> dropped) << dropped
            if value < self._low + self._range:
                break
        whole = value.to_bytes(bits // 8, "big")
        return whole[:-UNWRITTEN] + whole[-UNWRITTEN:].rstrip(b"\0")


class BinaryDecoder(BinaryCoder):
    """Reads the decisions of `BinaryEncoder`; behind the end of its bytes are a few zeros.

    Raises
    ------
    CorruptDataError
        More decisions are asked for than such bytes hold; when decoding.
    """

    def __init__(self, stream: bytes | memoryview) -> None:
        super().__init__()
        self.stream, self._position = bytes(stream), 0
        self._range, self._value = TOP - 1, 0
        for _ in range(UNWRITTEN):
            self._value = self._value << 8 | self._byte()

    @property
    def at(self) -> tuple[int, int, int]:
        """How far decoding is: position, range and value."""
        return self._position, self._range, self._value

    @at.setter
    def at(self, at: tuple[int, int, int]) -> None:
        self._position, self._range, self._value = at

    def _byte(self) -> int:
        place = self._position
        self._position += 1
        if place >= len(self.stream) + UNWRITTEN:
            raise too_early()
        return self.stream[place] if place < len(self.stream) else 0

    def _code(self, bit: int, one: int) -> int:  # noqa: ARG002 - an encoder's
        split = (self._range >> BITS) * one
        found = int(self._value < split)
        if found:
            self._range = split
        else:
            self._value -= split
            self._range -= split
        while self._range < LOW:
            self._range <<= 8
            self._value = self._value << 8 | self._byte()
        return found

    def finish(self) -> None:
        """Raise CorruptDataError if bytes are left."""
        if self._position < len(self.stream):
            raise CorruptDataError(
                "The structured noise is followed by bytes that do not belong to it."
            )


def too_early() -> CorruptDataError:
    """Return the error of a stream that does not hold what is asked for."""
    return CorruptDataError("The structured noise ends early.")


def too_long() -> CorruptDataError:
    """Return the error of a number that no encoder writes."""
    return CorruptDataError("A number of the structured noise is too long.")
