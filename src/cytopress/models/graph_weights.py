"""Weights of a serialized ONNX graph, read without the package onnx."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.models.protobuf import fields

Array = npt.NDArray[Any]
GRAPH, INITIALIZER = 7, 5
DIMENSION, TYPE, NAME, RAW = 1, 2, 8, 9
# What a name ends in where a package stores a weight in half.
HALVED = ".float16"
# Numbers of ONNX's data types.
TYPES: dict[int, Any] = {1: "<f4", 10: "<f2"}


def graph_weights(model: bytes) -> dict[str, Array]:
    """Return the weights of an exported graph, under the names of the network's parameters.

    Those of float32 and float16 that lie in it.

    Raises
    ------
    ValueError
        The bytes are no ONNX model, or a weight is shorter than its shape says.
    """
    found: dict[str, Array] = {}
    for number, graph in fields(memoryview(model)):
        if number != GRAPH or not isinstance(graph, memoryview):
            continue
        for part, tensor in fields(graph):
            if part == INITIALIZER and isinstance(tensor, memoryview):
                found |= _weight(tensor)
    return found


def _weight(tensor: memoryview) -> dict[str, Array]:
    shape: list[int] = []
    kind, name, raw = 0, "", None
    for number, value in fields(tensor):
        if number == DIMENSION and isinstance(value, int):
            shape.append(value)
        elif number == TYPE and isinstance(value, int):
            kind = value
        elif number == NAME and isinstance(value, memoryview):
            name = bytes(value).decode(errors="replace")
        elif number == RAW and isinstance(value, memoryview):
            raw = value
    if kind not in TYPES or raw is None:
        return {}
    numbers = np.frombuffer(raw, TYPES[kind])
    if numbers.size != math.prod(shape):
        raise ValueError("not a whole ONNX model")
    return {name.removesuffix(HALVED): numbers.reshape(shape)}
