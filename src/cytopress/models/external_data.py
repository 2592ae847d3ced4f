"""External data of ONNX graphs: weights in files beside the graph, which no digest covers.

A serialized graph is a protobuf message. Only the fields that lead to tensors are followed, so
that this needs neither a copy of the weights nor the package onnx.
"""

from __future__ import annotations

from cytopress.models.protobuf import fields

# Messages of onnx.proto that hold tensors, by the number of the field that they are in.
MESSAGES = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse tensor",
        23: "sparse tensor",
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
    "entry": {},
}
KEY, VALUE, DATA_LOCATION = 1, 2, 14
# A serialized graph of onnxruntime's own format, which holds all of its weights.
ORT_FORMAT = b"ORTM"


def external_files(model: bytes) -> tuple[str, ...]:
    """Return the names of files outside a serialized graph that its tensors are in.

    A tensor that is elsewhere and does not say where counts as "?".

    Raises
    ------
    ValueError
        The bytes are not a protobuf message.
    """
    if model[4:8] == ORT_FORMAT:
        return ()
    names: list[str] = []
    # A list instead of recursion: a crafted graph may nest as deep as it likes.
    left = [("model", memoryview(model))]
    while left:
        kind, message = left.pop()
        parts = list(fields(message))
        if kind == "tensor" and any(n == DATA_LOCATION and value for n, value in parts):
            entries = [value for n, value in parts if MESSAGES[kind].get(n) == "entry"]
            names.append(_location(entries))
            continue
        for number, value in parts:
            inside = MESSAGES[kind].get(number)
            if inside is not None and isinstance(value, memoryview):
                left.append((inside, value))
    return tuple(sorted({*names}))


def _location(entries: list[int | memoryview]) -> str:
    for entry in entries:
        if isinstance(entry, memoryview):
            found = {n: bytes(v) for n, v in fields(entry) if isinstance(v, memoryview)}
            if found.get(KEY) == b"location":
                return found.get(VALUE, b"?").decode(errors="replace")
    return "?"
