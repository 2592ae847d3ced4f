"""Any ONNX model: fed, tiled and read as declared, or refused with a reason."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from cytopress.errors import PackageError, TaskError, UsageError
from cytopress.image import Image
from cytopress.tasks.foreign.declared import declared_task
from cytopress.tasks.objects import Objects
from cytopress.tasks.protocol import Task
from fakes.onnx_graphs import FLOAT, UINT8, blur, model

FREE = (None, 1, None, None)


def _declared(folder: Path, graph: bytes, **table: Any) -> Task:
    (folder / "model.onnx").write_bytes(graph)
    return declared_task("net", {"kind": "onnx", "path": "model.onnx", **table}, folder=folder)


def _image(shape: tuple[int, ...] = (40, 50), dtype: str = "uint16") -> Image:
    return Image(np.random.default_rng(0).integers(0, 200, shape).astype(dtype))


def _blurred(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return ndimage.uniform_filter(pixels.astype(np.float64), 3, mode="constant")


def _values(task: Task, image: Image) -> np.ndarray[Any, Any]:
    prediction = task.predict(image)
    assert isinstance(prediction, Image)
    assert prediction.shape == image.shape
    return prediction.pixels


def _relu(kind: int = FLOAT, shape: tuple[int | None, ...] = FREE) -> bytes:
    return model([("Relu", ["x"], ["y"], {})], [("x", kind, shape)], [("y", kind, shape)])


@pytest.mark.parametrize("table", [{}, {"input": {"tile": 24, "halo": 2, "multiple": 8}}])
def test_a_free_size_is_the_whole_plane_or_tiles(tmp_path: Path, table: dict[str, Any]) -> None:
    task = _declared(tmp_path, blur(), **table)
    assert task.name == "onnx/net"
    image = _image()
    np.testing.assert_allclose(_values(task, image), _blurred(image.pixels), rtol=1e-5)


@pytest.mark.parametrize("shape", [(32, 32), (33, 70), (100, 40)])
def test_a_fixed_size_is_tiled(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = _image(shape)
    found = _values(_declared(tmp_path, blur(32)), image)
    np.testing.assert_allclose(found, _blurred(image.pixels), rtol=1e-5)


def test_an_image_smaller_than_a_fixed_size(tmp_path: Path) -> None:
    image = _image((20, 9))
    found = _values(_declared(tmp_path, blur(32)), image)
    np.testing.assert_allclose(found[:-1, :-1], _blurred(image.pixels)[:-1, :-1], rtol=1e-5)


def test_a_free_axis_is_padded_to_a_multiple(tmp_path: Path) -> None:
    halved = [
        ("AveragePool", ["x"], ["h"], {"kernel_shape": [4, 4], "strides": [4, 4]}),
        ("ConvTranspose", ["h", "k"], ["y"], {"strides": [4, 4]}),
    ]
    graph = model(halved, [("x", FLOAT, FREE)], [("y", FLOAT, FREE)], {"k": np.ones((1, 1, 4, 4))})
    image = _image((10, 12))
    found = _values(_declared(tmp_path, graph, input={"multiple": 4}), image)
    np.testing.assert_allclose(found[:4, :4], image.pixels[:4, :4].mean(), rtol=1e-5)
    with pytest.raises(TaskError, match=r"\(1, 8, 12\).*input's size"):
        _declared(tmp_path, graph).predict(image)


def test_channels_last_and_a_chosen_channel(tmp_path: Path) -> None:
    nodes = [("Neg", ["x"], ["n"], {}), ("Concat", ["x", "n"], ["y"], {"axis": 3})]
    graph = model(nodes, [("x", FLOAT, (None, 16, 16, 1))], [("y", FLOAT, (None, 16, 16, 2))])
    image = _image((20, 30))
    table = {"input": {"axes": "NYXC"}, "output": {"channel": 1}}
    np.testing.assert_array_equal(
        _values(_declared(tmp_path, graph, **table), image), -1.0 * image.pixels
    )
    with pytest.raises(UsageError, match="2 channels; declare which"):
        _declared(tmp_path, graph, input={"axes": "NYXC"})
    with pytest.raises(UsageError, match="no channel 2"):
        _declared(tmp_path, graph, input={"axes": "NYXC"}, output={"channel": 2})
    with pytest.raises(UsageError, match="16 channels in axes NCYX"):
        _declared(tmp_path, graph)


def test_softmax_over_channels(tmp_path: Path) -> None:
    nodes = [("Neg", ["x"], ["n"], {}), ("Concat", ["x", "n"], ["y"], {"axis": 1})]
    graph = model(nodes, [("x", FLOAT, FREE)], [("y", FLOAT, (None, 2, None, None))])
    image = Image(np.linspace(-3, 3, 30, dtype=np.float32).reshape(5, 6))
    table = {"channel": 0, "activation": "softmax", "as": "probability"}
    found = _values(_declared(tmp_path, graph, output=table), image)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-2 * image.pixels)), rtol=1e-5)


def test_grey_is_repeated_only_where_declared(tmp_path: Path) -> None:
    graph = blur(channels=3, gains=(1, 2, 3))
    with pytest.raises(UsageError, match=r'takes 3 channels.*channels = "repeat"'):
        _declared(tmp_path, graph)
    image = _image()
    found = _values(_declared(tmp_path, graph, input={"channels": "repeat"}), image)
    np.testing.assert_allclose(found, 6 * _blurred(image.pixels), rtol=1e-5)


def test_stacks_where_the_axes_have_z(tmp_path: Path) -> None:
    graph = _relu(shape=(1, 1, None, None, None))
    task = _declared(tmp_path, graph, input={"axes": "NCZYX"})
    stack = _image((3, 8, 9))
    np.testing.assert_array_equal(_values(task, stack), stack.pixels)
    with pytest.raises(TaskError, match="predicts from ZYX, not YX"):
        task.predict(_image())
    with pytest.raises(TaskError, match="predicts from YX, not ZYX"):
        _declared(tmp_path, blur()).predict(stack)


def test_normalization(tmp_path: Path) -> None:
    image = _image()
    values = image.pixels.astype(float)
    low, high = np.percentile(values, (2, 95))
    expected = {
        "none": values,
        "scale": values / 65535,
        "percentile": (values - low) / (high - low),
        "standardize": (values - values.mean()) / values.std(),
    }
    identity = model([("Identity", ["x"], ["y"], {})], [("x", FLOAT, FREE)], [("y", FLOAT, FREE)])
    for name, wanted in expected.items():
        percentiles = {"low": 2, "high": 95} if name == "percentile" else {}
        task = _declared(tmp_path, identity, input={"normalize": name, **percentiles})
        np.testing.assert_allclose(_values(task, image), wanted, atol=1e-5)
    task = _declared(tmp_path, identity, input={"normalize": "scale", "full_scale": 4095})
    np.testing.assert_allclose(_values(task, image), values / 4095, rtol=1e-6)
    task = _declared(tmp_path, identity, input={"normalize": "percentile"})
    assert not _values(task, Image(np.full((9, 9), 7, np.uint16))).any()


def test_graphs_of_bytes(tmp_path: Path) -> None:
    graph = model(
        [("Cast", ["x"], ["y"], {"to": FLOAT})], [("x", UINT8, FREE)], [("y", FLOAT, FREE)]
    )
    eight = _image(dtype="uint8")
    np.testing.assert_array_equal(_values(_declared(tmp_path, graph), eight), eight.pixels)
    with pytest.raises(TaskError, match="takes uint8 and the image is uint16"):
        _declared(tmp_path, graph).predict(_image())
    scaled = _declared(tmp_path, graph, input={"normalize": "scale", "full_scale": 100})
    wanted = np.rint(np.clip(eight.pixels / 100, 0, 1) * 255)
    np.testing.assert_array_equal(_values(scaled, eight), wanted)
    with pytest.raises(UsageError, match="cannot be standardized"):
        _declared(tmp_path, graph, input={"normalize": "standardize"})


def test_several_outputs_are_named(tmp_path: Path) -> None:
    graph = model(
        [("Relu", ["x"], ["same"], {}), ("Neg", ["x"], ["less"], {})],
        [("x", FLOAT, FREE)],
        [("same", FLOAT, FREE), ("less", FLOAT, FREE)],
    )
    image = _image()
    found = _values(_declared(tmp_path, graph, output={"name": "less"}), image)
    np.testing.assert_array_equal(found, -1.0 * image.pixels)
    with pytest.raises(UsageError, match="name one of same, less"):
        _declared(tmp_path, graph)
    with pytest.raises(UsageError, match="no output 'lass'; known: same, less"):
        _declared(tmp_path, graph, output={"name": "lass"})


def test_files_that_cannot_be_run(tmp_path: Path) -> None:
    unknown = model([("Frobnicate", ["x"], ["y"], {})], [("x", FLOAT, FREE)], [("y", FLOAT, FREE)])
    with pytest.raises(PackageError, match=r"model\.onnx.*Frobnicate"):
        _declared(tmp_path, unknown)
    with pytest.raises(PackageError, match=r"model\.onnx: onnxruntime cannot load"):
        _declared(tmp_path, blur()[:-40] + b"garbage")
    with pytest.raises(PackageError, match=r"absent\.onnx: cannot read"):
        declared_task("n", {"kind": "onnx", "path": "absent.onnx"}, folder=tmp_path)


def test_what_does_not_fit_the_graph(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"4 axes \(\?, 1, 32, 32\), not 5 \(NCZYX\)"):
        _declared(tmp_path, blur(32), input={"axes": "NCZYX"})
    with pytest.raises(UsageError, match="32 pixels along Y, not tile = 64"):
        _declared(tmp_path, blur(32), input={"tile": 64})
    with pytest.raises(UsageError, match="halo = 16 leaves nothing"):
        _declared(tmp_path, blur(32), input={"halo": 16})
    with pytest.raises(UsageError, match="fixed batch of 4"):
        _declared(tmp_path, _relu(shape=(4, 1, 8, 8)))
    two = model(
        [("Add", ["x", "z"], ["y"], {})],
        [("x", FLOAT, FREE), ("z", FLOAT, FREE)],
        [("y", FLOAT, FREE)],
    )
    with pytest.raises(UsageError, match=r"several inputs \(x, z\)"):
        _declared(tmp_path, two)


def test_infinite_answers_are_no_prediction(tmp_path: Path) -> None:
    graph = model([("Log", ["x"], ["y"], {})], [("x", FLOAT, FREE)], [("y", FLOAT, FREE)])
    with pytest.raises(TaskError, match=r"onnx/net.*NaN or infinity"):
        _declared(tmp_path, graph).predict(Image(np.zeros((8, 8), np.uint16)))


def test_labels_are_objects_measured_in_the_input(tmp_path: Path) -> None:
    pixels = np.full((40, 60), 10, np.uint16)
    pixels[5:15, 5:15] = 200
    pixels[20:30, 30:36] = 300
    pixels[35, 55] = 900
    # A corner joins no objects.
    pixels[15, 15] = 250
    task = _declared(
        tmp_path, _relu(), output={"as": "labels", "threshold": 100, "min_area": 2}, truth="labels"
    )
    found = task.predict(Image(pixels))
    assert isinstance(found, Objects)
    assert found.area.tolist() == [100, 60]
    assert found.intensity.tolist() == [200, 300]
    assert task.truth == "labels"
    assert [score.name for score in task.scores] == ["count_error", "iou", "objects"]


def test_a_file_and_its_options_are_the_identity(tmp_path: Path) -> None:
    plain = _declared(tmp_path, blur(), input={"normalize": "none"})
    (tmp_path / "moved").mkdir()
    shutil.copy(tmp_path / "model.onnx", tmp_path / "moved" / "renamed.onnx")
    table = {"kind": "onnx", "path": "moved/renamed.onnx", "input": {"normalize": "none"}}
    assert declared_task("net", table, folder=tmp_path).weights == plain.weights
    others = [
        _declared(tmp_path, blur(), input={"normalize": "standardize"}).weights,
        _declared(tmp_path, blur(), output={"as": "labels"}).weights,
        _declared(tmp_path, blur(gains=(2,))).weights,
        # Another truth gives other scores of the same predictions.
        _declared(tmp_path, blur(), truth="target").weights,
    ]
    assert len({plain.weights, *others}) == 5


def test_a_changed_file_is_not_run(tmp_path: Path) -> None:
    task = _declared(tmp_path, blur(gains=(5.5,)))
    (tmp_path / "model.onnx").write_bytes(blur(gains=(6.5,)))
    from cytopress.models import onnx_file

    onnx_file._file_session.cache_clear()
    with pytest.raises(PackageError, match="has changed"):
        task.predict(_image())
