"""ONNX graphs made byte by byte, so that tests need no more than the core: protobuf is simple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

FLOAT, UINT8 = 1, 2
# Name, ONNX type, and the length of each axis, None where it is free.
Value = tuple[str, int, Sequence[int | None]]
# Operator, inputs, outputs, attributes (integers and lists of them).
Node = tuple[str, Sequence[str], Sequence[str], Mapping[str, int | Sequence[int]]]


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def value_info(value: Value) -> bytes:
    name, kind, shape = value
    lengths = b"".join(
        field(1, field(2, f"free{axis}") if length is None else field(1, length))
        for axis, length in enumerate(shape)
    )
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, lengths)))


def node_proto(node: Node) -> bytes:
    operator, inputs, outputs, attributes = node
    out = b"".join(field(1, name) for name in inputs)
    out += b"".join(field(2, name) for name in outputs) + field(4, operator)
    for name, value in attributes.items():
        if isinstance(value, int):
            body = field(3, value) + field(20, 2)
        else:
            body = b"".join(field(8, one) for one in value) + field(20, 7)
        out += field(5, field(1, name) + body)
    return out


def tensor(name: str, array: np.ndarray[Any, Any]) -> bytes:
    dims = b"".join(field(1, length) for length in array.shape)
    return dims + field(2, FLOAT) + field(8, name) + field(9, array.astype("<f4").tobytes())


def tensor_in_file(name: str, shape: Sequence[int], location: str) -> bytes:
    """A tensor whose numbers are in a file of their own."""
    dims = b"".join(field(1, length) for length in shape)
    where = field(13, field(1, "location") + field(2, location))
    return dims + field(2, FLOAT) + field(8, name) + where + field(14, 1)


def times_weights_in_file(location: str, length: int = 64) -> bytes:
    """A graph that multiplies a vector with one that is in another file."""
    graph = field(1, node_proto(("Mul", ["x", "w"], ["y"], {}))) + field(2, "g")
    graph += field(5, tensor_in_file("w", [length], location))
    graph += field(11, value_info(("x", FLOAT, [length])))
    graph += field(12, value_info(("y", FLOAT, [length])))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def model(
    nodes: Sequence[Node],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    weights: Mapping[str, np.ndarray[Any, Any]] | None = None,
) -> bytes:
    """Return a graph of opset 13."""
    graph = b"".join(field(1, node_proto(node)) for node in nodes) + field(2, "g")
    graph += b"".join(field(5, tensor(*item)) for item in (weights or {}).items())
    graph += b"".join(field(11, value_info(value)) for value in inputs)
    graph += b"".join(field(12, value_info(value)) for value in outputs)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def blur_in_file(location: str) -> bytes:
    """The mean of 3 x 3 pixels, its kernel of nine numbers in another file."""
    graph = field(1, node_proto(("Conv", ["x", "k"], ["y"], {"pads": [1, 1, 1, 1]})))
    graph += field(2, "g") + field(5, tensor_in_file("k", [1, 1, 3, 3], location))
    graph += field(11, value_info(("x", FLOAT, [None, 1, None, None])))
    graph += field(12, value_info(("y", FLOAT, [None, 1, None, None])))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def blur(edge: int | None = None, *, channels: int = 1, gains: Sequence[float] = (1.0,)) -> bytes:
    """Mean of 3 x 3 pixels with zeros around, times the gain of each channel, all added up."""
    kernel = np.stack([np.full((3, 3), gain / 9) for gain in gains])[np.newaxis]
    shape = (None, channels, edge, edge)
    return model(
        [("Conv", ["x", "k"], ["y"], {"pads": [1, 1, 1, 1]})],
        [("x", FLOAT, shape)],
        [("y", FLOAT, (None, 1, edge, edge))],
        {"k": kernel},
    )
