"""BioImage Model Zoo packages: read where they lie, run as they say."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import expit

from cytopress.errors import NotAvailableError, PackageError, TaskError, UsageError
from cytopress.image import Image
from cytopress.tasks.foreign import zoo_package
from cytopress.tasks.foreign.declared import declared_task
from cytopress.tasks.protocol import Task
from fakes.onnx_graphs import blur, blur_in_file, times_weights_in_file

DESCRIPTION = """
format_version: 0.5.4
type: model
name: tiny blur
description: the mean of 3 x 3 pixels
authors: [{name: nobody}]
cite: [{text: none, url: "https://example.com"}]
license: MIT
documentation: README.md
inputs:
- id: light
  axes:
  - {type: batch}
  - {type: channel, channel_names: [CHANNELS]}
  - {type: space, id: y, size: SIZE}
  - {type: space, id: x, size: SIZE}
  test_tensor: {source: in.npy}
  preprocessing:
  - PREPROCESSING
outputs:
- id: probability
  axes:
  - {type: batch}
  - {type: channel, channel_names: [p]}
  - {type: space, id: y, halo: 2, size: {tensor_id: light, axis_id: y}}
  - {type: space, id: x, halo: 2, size: {tensor_id: light, axis_id: x}}
  test_tensor: {source: out.npy}
  postprocessing: [{id: sigmoid}]
weights:
  WEIGHTS
"""
SCALED = "{id: scale_linear, kwargs: {gain: 0.01, offset: -1.0}}"


def _package(folder: Path, graph: bytes | None = None, **changes: str) -> Path:
    pytest.importorskip("bioimageio.core", reason="the extra bioimageio is not installed")
    folder.mkdir(exist_ok=True)
    values = {
        "CHANNELS": "light",
        "SIZE": "{min: 16, step: 8}",
        "PREPROCESSING": SCALED,
        "WEIGHTS": "onnx: {source: net.onnx, opset_version: 13}",
        **changes,
    }
    text = DESCRIPTION
    for key, value in values.items():
        text = text.replace(key, value)
    (folder / "rdf.yaml").write_text(text)
    (folder / "README.md").write_text("# tiny\n")
    (folder / "net.onnx").write_bytes(graph or blur())
    for name in ("in.npy", "out.npy"):
        np.save(folder / name, np.zeros((1, 1, 32, 32), np.float32))
    return folder


def _declared(path: Path, **table: Any) -> Task:
    return declared_task(
        "tiny", {"kind": "bioimageio", "path": path.name, **table}, folder=path.parent
    )


def _image(shape: tuple[int, ...] = (40, 51)) -> Image:
    return Image(np.random.default_rng(0).integers(0, 200, shape).astype(np.uint16))


def _pixels(task: Task, image: Image) -> np.ndarray[Any, Any]:
    prediction = task.predict(image)
    assert isinstance(prediction, Image)
    assert prediction.shape == image.shape
    return prediction.pixels


def _expected(image: Image) -> np.ndarray[Any, Any]:
    scaled = image.pixels * 0.01 - 1
    return np.asarray(expit(ndimage.uniform_filter(scaled, 3, mode="constant")))


@pytest.mark.extras
def test_pre_and_postprocessing_are_the_package_s(tmp_path: Path) -> None:
    task = _declared(_package(tmp_path / "tiny"))
    assert task.name == "bioimageio/tiny"
    assert [score.name for score in task.scores] == ["pearson", "nrmse"]
    image = _image()
    # Padded at the far edges to 40 x 56, where the mirror is seen and not zeros.
    np.testing.assert_allclose(_pixels(task, image)[:, :-1], _expected(image)[:, :-1], atol=1e-5)


@pytest.mark.extras
def test_zip_folder_and_description_are_one_model(tmp_path: Path) -> None:
    folder = _package(tmp_path / "tiny")
    shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    tasks = [
        _declared(folder),
        _declared(tmp_path / "packed.zip"),
        declared_task("d", {"kind": "bioimageio", "path": "tiny/rdf.yaml"}, folder=tmp_path),
    ]
    assert len({task.weights for task in tasks}) == 1
    results = [_pixels(task, _image()) for task in tasks]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.extras
@pytest.mark.parametrize("table", [{}, {"input": {"halo": 3}}])
def test_a_fixed_size_is_tiled(tmp_path: Path, table: dict[str, Any]) -> None:
    task = _declared(_package(tmp_path / "tiny", blur(32), SIZE="32"), **table)
    image = _image((64, 90))
    np.testing.assert_allclose(_pixels(task, image), _expected(image), atol=1e-5)


@pytest.mark.extras
def test_a_free_size_is_tiled_where_declared(tmp_path: Path) -> None:
    task = _declared(_package(tmp_path / "tiny"), input={"tile": 30})
    image = _image((64, 90))
    np.testing.assert_allclose(_pixels(task, image), _expected(image), atol=1e-5)


@pytest.mark.extras
def test_statistics_are_the_image_s_own_whatever_came_before(tmp_path: Path) -> None:
    """Without axes the standard says: over the dataset, which here is the image alone."""
    standardized = "{id: zero_mean_unit_variance, kwargs: {}}"
    task = _declared(_package(tmp_path / "tiny", PREPROCESSING=standardized))
    image = _image((32, 32))
    before = _pixels(task, image)
    task.predict(Image(image.pixels * 50))
    np.testing.assert_array_equal(_pixels(task, image), before)
    z = (image.pixels - image.pixels.mean()) / image.pixels.std()
    expected = expit(ndimage.uniform_filter(z, 3, mode="constant"))
    np.testing.assert_allclose(before, expected, atol=1e-3)


@pytest.mark.extras
def test_channels_are_repeated_only_where_declared(tmp_path: Path) -> None:
    package = _package(
        tmp_path / "tiny", blur(channels=3, gains=(0.5, 0.25, 0.25)), CHANNELS="r, g, b"
    )
    with pytest.raises(UsageError, match="takes 3 channels"):
        _declared(package)
    task = _declared(package, input={"channels": "repeat"})
    image = _image((40, 48))
    np.testing.assert_allclose(_pixels(task, image), _expected(image), atol=1e-5)


@pytest.mark.extras
def test_labels_and_stacks(tmp_path: Path) -> None:
    task = _declared(_package(tmp_path / "tiny"), output={"as": "labels", "threshold": 0.6})
    pixels = np.zeros((32, 32), np.uint16)
    pixels[4:10, 4:10] = pixels[20:26, 12:30] = 400
    prediction = task.predict(Image(pixels))
    assert getattr(prediction, "count", None) == 2
    with pytest.raises(TaskError, match="predicts from YX, not ZYX"):
        task.predict(_image((3, 32, 32)))


@pytest.mark.extras
def test_what_cannot_be_run(tmp_path: Path) -> None:
    torch = "torchscript: {source: net.onnx, pytorch_version: 2.0.0}"
    with pytest.raises(NotAvailableError, match="no ONNX weights, only torchscript"):
        _declared(_package(tmp_path / "torch", WEIGHTS=torch))
    remote = "onnx: {source: 'https://example.com/net.onnx', opset_version: 13}"
    with pytest.raises(NotAvailableError, match=r"example\.com"):
        _declared(_package(tmp_path / "remote", WEIGHTS=remote))
    with pytest.raises(PackageError, match="weights cannot be loaded"):
        _declared(_package(tmp_path / "damaged", b"nothing"))
    with pytest.raises(PackageError, match="its description cannot be read"):
        _declared(_package(tmp_path / "strange", SIZE="large"))
    with pytest.raises(UsageError, match="no output 'labels'; known: probability"):
        _declared(_package(tmp_path / "named"), output={"name": "labels"})


@pytest.mark.extras
def test_weights_that_the_package_s_digest_does_not_cover_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What onnxruntime would read, if it were asked to.
    monkeypatch.chdir(tmp_path)
    np.full(64, 8, np.float32).tofile(tmp_path / "w.bin")
    graph = times_weights_in_file("w.bin")
    with pytest.raises(PackageError, match=r"also in w\.bin, which the description does not name"):
        _declared(_package(tmp_path / "unnamed", graph))
    (tmp_path / "net.onnx").write_bytes(blur())
    outside = "onnx: {source: SOURCE, opset_version: 13}"
    for source in ("../net.onnx", str(tmp_path / "net.onnx")):
        changes = {"WEIGHTS": outside.replace("SOURCE", source)}
        with pytest.raises(PackageError, match="outside the package"):
            _declared(_package(tmp_path / "outside", **changes))


@pytest.mark.extras
def test_weights_in_a_declared_file_of_the_package_are_part_of_its_digest(tmp_path: Path) -> None:
    external = "external_data: {source: net.onnx.data}"
    weights = f"onnx: {{source: net.onnx, opset_version: 13, {external}}}"
    tasks = []
    for name, gain in (("one", 1.0), ("two", 2.0)):
        folder = _package(tmp_path / name, blur_in_file("net.onnx.data"), WEIGHTS=weights)
        np.full(9, gain / 9, np.float32).tofile(folder / "net.onnx.data")
        tasks.append(_declared(folder))
    assert tasks[0].weights != tasks[1].weights
    np.testing.assert_allclose(
        _pixels(tasks[0], _image((40, 48))), _expected(_image((40, 48))), atol=1e-5
    )


def test_packages_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="no BioImage Model Zoo package"):
        _declared(tmp_path / "affable-shark")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PackageError, match="no BioImage Model Zoo package"):
        _declared(tmp_path / "empty")
    (tmp_path / "broken.zip").write_bytes(b"PK no zip")
    with pytest.raises(PackageError, match="cannot read the package"):
        _declared(tmp_path / "broken.zip")


def test_crafted_zips_are_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tiny.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rdf.yaml", "type: model")
    data = bytearray(path.read_bytes())
    for flags in (0x01, 0x20):
        for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            data[data.index(mark) + offset] = flags
        path.write_bytes(data)
        with pytest.raises(PackageError, match=r"tiny\.zip: cannot read the package"):
            _declared(path)
    monkeypatch.setattr(zoo_package, "MOST_UNPACKED", 1000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rdf.yaml", bytes(1001))
    with pytest.raises(PackageError, match="unpacks to 1001 bytes, more than 1000"):
        _declared(path)


def test_the_extra_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bioimageio", None)
    monkeypatch.setitem(sys.modules, "bioimageio.core", None)
    with zipfile.ZipFile(tmp_path / "tiny.zip", "w") as archive:
        archive.writestr("rdf.yaml", "type: model")
    with pytest.raises(NotAvailableError, match=r"cytopress\[bioimageio\]"):
        _declared(tmp_path / "tiny.zip")
