"""Fields of protobuf messages, such as serialized ONNX graphs, without a copy of their bytes."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the fields of a message, by number: integers, and bytes (also messages and text).

    Raises
    ------
    ValueError
        The bytes are no such message.
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _varint(message, at)
            yield number, value
        elif wire == BYTES:
            length, at = _varint(message, at)
            yield number, message[at : at + length]
            at += length
        elif wire in (FIXED_32, FIXED_64):
            at += 4 if wire == FIXED_32 else 8
        else:
            raise ValueError("not an ONNX model")
    if at > len(message):
        raise ValueError("not a whole ONNX model")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the integer at a position, and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("not a whole ONNX model")
        byte = message[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
    raise ValueError("not an ONNX model")
