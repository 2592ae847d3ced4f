"""Weights of a graph are read as onnx reads them."""

import numpy as np
import pytest

from cytopress.models.graph_weights import graph_weights

onnx = pytest.importorskip("onnx")


def graph(**weights: np.ndarray) -> bytes:
    tensors = [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()]
    made = onnx.helper.make_graph([], "g", [], [], tensors)
    return onnx.helper.make_model(made).SerializeToString()


def test_weights_are_read_by_the_names_of_parameters() -> None:
    random = np.random.default_rng(1)
    whole, half = random.normal(size=(2, 3, 1, 1)).astype("f4"), random.normal(size=7).astype("f2")
    held = {"a.bias": whole, "b.weight.float16": half, "n": np.arange(3)}
    found = graph_weights(graph(**held))
    assert set(found) == {"a.bias", "b.weight"}
    np.testing.assert_array_equal(found["a.bias"], whole)
    np.testing.assert_array_equal(found["b.weight"], half)


def test_bytes_that_are_no_graph_are_refused() -> None:
    data = graph(a=np.ones(9, "f4"))
    with pytest.raises(ValueError, match="ONNX"):
        graph_weights(data[:-5])
    shape = data.index(b"\x08\x09\x10\x01")
    with pytest.raises(ValueError, match="whole"):
        graph_weights(data[:shape] + b"\x08\x08" + data[shape + 2 :])
