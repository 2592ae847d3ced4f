"""Byte encoding of numbers and texts, for the container and the side information of wrappers.

Integers are LEB128 varints of at most 64 bits, signed ones zigzag coded. Floats are stored as their
shortest decimal, digits and exponent: 0.108333 comes back as 0.108333 and takes four bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

from cytopress.errors import CorruptDataError

MOST_BITS = 64
# A float's shortest decimal has at most 17 digits, its exponent lies between -340 and 308.
MOST_EXPONENT = 400


class Reader:
    """A read position in bytes, checked against their end."""

    def __init__(self, data: bytes | memoryview, position: int = 0, end: int | None = None) -> None:
        self._data, self.position = data, position
        self._end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """Bytes between the position and the end."""
        return self._end - self.position

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        self.skip(count)
        return bytes(self._data[self.position - count : self.position])

    def view(self, count: int) -> memoryview:
        """Return the next bytes without a copy."""
        start = self.position
        self.skip(count)
        return memoryview(self._data)[start : self.position]

    def skip(self, count: int) -> None:
        """Move on by ``count`` bytes."""
        if count > self.left:
            raise CorruptDataError(
                f"This cytopress file ends early: {count} bytes are promised, {self.left} left."
            )
        self.position += count

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def varint(self) -> int:
        """Return a non-negative integer below ``2 ** 64``."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if value >> MOST_BITS:
                raise CorruptDataError("This cytopress file holds a number that is too large.")
            if byte < 0x80:
                return value
            shift += 7
            if shift > MOST_BITS:
                raise CorruptDataError("This cytopress file holds a number that is too long.")

    def signed(self) -> int:
        """Return an integer of at most 64 bits."""
        value = self.varint()
        return value >> 1 if not value & 1 else -(value >> 1) - 1

    def decimal(self) -> float:
        """Return a finite float."""
        digits, exponent = self.signed(), self.signed()
        if abs(exponent) <= MOST_EXPONENT:
            value = float(Decimal(digits).scaleb(exponent))
            if math.isfinite(value):
                return value
        raise CorruptDataError("This cytopress file holds a number that is too large.")

    def text(self) -> str:
        """Return a UTF-8 text."""
        try:
            return self.take(self.varint()).decode()
        except UnicodeDecodeError:
            raise CorruptDataError("This cytopress file holds a name that is not UTF-8.") from None


def put_varint(out: bytearray, value: int) -> None:
    """Append a non-negative integer below ``2 ** 64``."""
    if not 0 <= value < 2**MOST_BITS:
        raise ValueError(f"a varint has at most {MOST_BITS} bits and no sign, not {value}")
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def put_signed(out: bytearray, value: int) -> None:
    """Append an integer of at most 64 bits."""
    put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def put_decimal(out: bytearray, value: float) -> None:
    """Append a finite float."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    digits, _, exponent = f"{Decimal(repr(float(value))).normalize():e}".partition("e")
    whole, _, fraction = digits.partition(".")
    put_signed(out, int(whole + fraction))
    put_signed(out, int(exponent) - len(fraction))


def put_text(out: bytearray, text: str) -> None:
    """Append a text as UTF-8, length-prefixed."""
    coded = text.encode()
    put_varint(out, len(coded))
    out += coded


def varints(*values: int) -> bytes:
    """Return non-negative integers as varints."""
    out = bytearray()
    for value in values:
        put_varint(out, value)
    return bytes(out)


def take_varints(stream: bytes | memoryview, count: int, start: int = 0) -> tuple[list[int], int]:
    """Return ``count`` varints from ``start`` on, and the position after them."""
    reader = Reader(stream, start)
    return [reader.varint() for _ in range(count)], reader.position


def length_prefixed(streams: Iterable[bytes]) -> list[bytes]:
    """Return streams, each preceded by its length: the parts of `join_streams`."""
    return [part for stream in streams for part in (varints(len(stream)), stream)]


def join_streams(streams: Iterable[bytes]) -> bytes:
    """Return streams joined, each preceded by its length."""
    return b"".join(length_prefixed(streams))


def split_streams(joined: bytes, count: int) -> list[bytes]:
    """Return the ``count`` streams of `join_streams`, as `split_views` does."""
    return [bytes(view) for view in split_views(joined, count)]


def split_views(joined: bytes | memoryview, count: int) -> list[memoryview]:
    """Return views of the ``count`` streams of `join_streams`.

    Raises
    ------
    CorruptDataError
        There are fewer streams, or other bytes after them.
    """
    if count > len(joined):
        # Checked first, so that a crafted count makes no long loop.
        raise CorruptDataError(f"{count} streams are promised in {len(joined)} bytes.")
    reader = Reader(joined)
    streams = [reader.view(reader.varint()) for _ in range(count)]
    if reader.left:
        raise CorruptDataError("A stream is followed by bytes that belong to no stream.")
    return streams
