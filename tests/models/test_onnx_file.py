"""Bare ONNX graphs."""

from pathlib import Path

import numpy as np
import pytest

from cytopress.errors import TaskError
from cytopress.models.onnx_file import Port, open_onnx
from fakes.onnx_graphs import blur


def test_a_bare_graph_says_what_it_takes_and_runs(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(blur(8, channels=2, gains=(1, 2)))
    graph = open_onnx(path)
    assert graph.inputs == (Port("x", (None, 2, 8, 8), "tensor(float)"),)
    assert graph.outputs == (Port("y", (None, 1, 8, 8), "tensor(float)"),)
    found = graph.run({"x": np.ones((1, 2, 8, 8), np.float32)}, "y")
    assert found.shape == (1, 1, 8, 8)
    assert found[0, 0, 4, 4] == pytest.approx(3)
    with pytest.raises(TaskError, match=r"net\.onnx: the model failed"):
        graph.run({"x": np.ones((1, 2, 9, 8), np.float32)}, "y")
