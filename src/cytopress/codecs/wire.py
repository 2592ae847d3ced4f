"""Numbers and texts as bytes: what the container and the side information of wrappers are made of.

Integers are LEB128 varints; floats are stored as their shortest decimal, digits and exponent, so that
0.108333 comes back as 0.108333 and takes four bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cytopress.errors import CorruptDataError


def varints(*values: int) -> bytes:
    """Return non-negative integers as LEB128 varints, for side information of wrappers."""
    out = bytearray()
    for value in values:
        put_varint(out, value)
    return bytes(out)


def take_varints(stream: bytes, count: int, start: int = 0) -> tuple[list[int], int]:
    """Return ``count`` varints from ``start`` on, and the position behind them."""
    reader = Reader(stream, start, len(stream))
    return [reader.varint() for _ in range(count)], reader.position


class Reader:
    """A position in bytes that refuses to run past their end."""

    def __init__(self, data: bytes, position: int, end: int) -> None:
        self.data, self.position, self.end = data, position, end

    def take(self, count: int) -> bytes:
        if count > self.end - self.position:
            raise CorruptDataError("This cytopress file ends in the middle of its header.")
        self.position += count
        return self.data[self.position - count : self.position]

    def byte(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 70:
                raise CorruptDataError("This cytopress file holds a number that is too long.")

    def signed(self) -> int:
        value = self.varint()
        return value >> 1 if not value & 1 else -(value >> 1) - 1

    def decimal(self) -> float:
        digits, exponent = self.signed(), self.signed()
        if not -400 < exponent < 400:
            raise CorruptDataError("This cytopress file holds a number that is too large.")
        return float(Decimal(digits).scaleb(exponent))


def put_varint(out: bytearray, value: int) -> None:
    if value < 0:
        raise ValueError(f"a varint is not negative, but {value} is")
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def put_signed(out: bytearray, value: int) -> None:
    put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def put_decimal(out: bytearray, value: float) -> None:
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is not a finite number")
    number = int("".join(map(str, digits)))
    put_signed(out, -number if sign else number)
    put_signed(out, exponent)


def put_text(out: bytearray, text: bytes) -> None:
    put_varint(out, len(text))
    out += text


def join_streams(streams: Iterable[bytes]) -> bytes:
    """Return streams one behind the other, each behind its length."""
    return b"".join(varints(len(stream)) + stream for stream in streams)


def split_streams(joined: bytes, count: int) -> list[bytes]:
    """Return the ``count`` streams of `join_streams`; anything over or under is an error."""
    reader = Reader(joined, 0, len(joined))
    streams = [reader.take(reader.varint()) for _ in range(count)]
    if reader.position != reader.end:
        raise CorruptDataError("A stream is followed by bytes that belong to nothing.")
    return streams
