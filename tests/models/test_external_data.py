"""Weights outside an ONNX graph, which no digest covers, are found wherever they hide."""

from pathlib import Path

import numpy as np
import pytest

from cytopress.errors import PackageError
from cytopress.models.external_data import external_files
from cytopress.models.model_package import write_package
from cytopress.models.onnx_file import open_onnx
from fakes.onnx_graphs import FLOAT, blur, field, tensor_in_file, times_weights_in_file

MANIFEST = {"kind": "task", "name": "labelfree/test", "architecture": "none", "axes": "YX"}


def test_a_graph_with_weights_elsewhere_is_refused_whatever_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(times_weights_in_file("w.bin"))
    for name, value in (("here", 8), ("there", 800)):
        folder = tmp_path / name
        folder.mkdir()
        np.full(64, value, np.float32).tofile(folder / "w.bin")
        monkeypatch.chdir(folder)
        with pytest.raises(PackageError, match=r"in other files, w\.bin, which its digest"):
            open_onnx(path)


def test_a_package_s_graph_with_weights_elsewhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.full(64, 8, np.float32).tofile(tmp_path / "w.bin")
    graph = times_weights_in_file("w.bin")
    package = write_package(tmp_path / "a.cytomodel", MANIFEST, graphs={"g": graph})
    with pytest.raises(PackageError, match=r"load g\.onnx of the package \(its weights are in oth"):
        package.run("g", np.ones(64, np.float32))


@pytest.mark.parametrize("depth", [0, 1, 3000])
@pytest.mark.parametrize("place", ["initializer", "constant", "sparse initializer", "function"])
def test_found_in_every_place_that_holds_tensors(place: str, depth: int) -> None:
    tensor = tensor_in_file("w", [64], "w.bin")
    constant = field(1, field(5, field(1, "value") + field(5, tensor)))
    graph = {
        "initializer": field(5, tensor),
        "constant": constant,
        "sparse initializer": field(15, field(1, tensor)),
        "function": b"",
    }[place]
    for _ in range(depth):
        # The branch of an If.
        graph = field(1, field(4, "If") + field(5, field(1, "then_branch") + field(6, graph)))
    model = field(1, 8) + field(7, graph)
    if place == "function":
        model += field(25, field(7, field(5, field(1, "value") + field(5, tensor))))
    assert external_files(model) == ("w.bin",)


def test_a_place_in_two_pieces_and_one_that_is_not_given() -> None:
    """Protobuf joins two pieces of one message, and cuts an enum to 32 bits."""
    pieces = field(13, field(1, "location") + field(2, "w.bin"))
    where = field(14, 2**32 + 1)
    assert external_files(field(7, field(5, field(2, FLOAT) + where + pieces))) == ("w.bin",)
    assert external_files(field(7, field(5, field(2, FLOAT) + field(14, 1)))) == ("?",)


def test_whole_graphs_pass_and_other_bytes_are_not_graphs() -> None:
    graph = blur(8, channels=2, gains=(1, 2))
    assert external_files(graph) == ()
    for data in (graph[:-3], b"no graph at all", b"\xff" * 40):
        with pytest.raises(ValueError, match="ONNX model"):
            external_files(data)
