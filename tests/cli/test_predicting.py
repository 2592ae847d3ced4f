"""``predict`` writes what a task predicts: an image, or the labels of objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import cytopress
from cytopress.cli import main
from cytopress.formats.images import read_labels
from cytopress.image import Image
from cytopress.tasks.builtin.measurement import Measurement
from fakes.segmentation import onnx_package

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leave:
            main(arguments)
        out, err = capsys.readouterr()
        return int(leave.value.code or 0), out, err

    return call


@pytest.fixture
def image_file(tmp_path: Path, micrograph: Image) -> Path:
    path = tmp_path / "cells.ome.tif"
    cytopress.write(path, [micrograph])
    return path


def test_an_image_is_written_as_one(run: Run, image_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "predicted.ome.tif"
    code, out, err = run(
        "predict", str(image_file), "-o", str(output), "--task", "labelfree/scratch-assay"
    )
    assert (code, err) == (0, "")
    (found,) = cytopress.read(output)
    assert (found.shape, found.dtype) == ((96, 128), np.float32)
    assert "96 x 128 float32" in out


@pytest.mark.parametrize("name", ["labels.ome.tif", "labels.png"])
def test_objects_are_written_as_labels(
    run: Run, image_file: Path, tmp_path: Path, micrograph: Image, name: str
) -> None:
    output = tmp_path / name
    code, out, err = run("predict", str(image_file), "-o", str(output), "--task", "measurement")
    assert (code, err) == (0, "")
    expected, found = Measurement().predict(micrograph), read_labels(output)
    assert expected.count > 1
    np.testing.assert_array_equal(found, expected.labels)
    assert found.dtype == np.uint16
    told = re.fullmatch(
        r"(.+): labels of (\d+) objects, on average (\S+) pixels \((\S+) um\^2\) and (\S+) c.*\n",
        out,
    )
    assert told is not None
    assert told.group(1, 2) == (str(output), str(expected.count))
    area = expected.area.mean()
    means = area, area * 0.65**2, expected.intensity.mean()
    assert tuple(map(float, told.group(3, 4, 5))) == pytest.approx(means, rel=1e-3)


def test_no_object_is_said(run: Run, tmp_path: Path) -> None:
    dark, output = tmp_path / "dark.tif", tmp_path / "labels.tif"
    cytopress.write(dark, [Image(np.zeros((40, 40), np.uint16))])
    code, out, _ = run("predict", str(dark), "-o", str(output), "--task", "measurement")
    assert (code, out) == (0, f"{output}: labels of no objects\n")
    assert not read_labels(output).any()


@pytest.mark.learn
def test_a_segmentation_package_is_found(run: Run, image_file: Path, tmp_path: Path) -> None:
    onnx_package(tmp_path / "models" / "bright.cytomodel")
    arguments = ("predict", str(image_file), "-o", str(tmp_path / "labels.tif"), "--task")
    code, out, _ = run(*arguments, "segmentation/bright", "--models", str(tmp_path / "models"))
    assert code == 0
    assert re.search(r"labels of \d+ objects", out)


def test_objects_of_a_volume_have_a_volume(run: Run, tmp_path: Path) -> None:
    stack, output = tmp_path / "stack.ome.tif", tmp_path / "labels.ome.tif"
    pixels = np.zeros((6, 40, 40), np.uint16)
    pixels[1:5, 10:20, 10:20] = 500
    cytopress.write(stack, [Image(pixels, spacing_um=(0.5, 0.2, 0.2))])
    code, out, _ = run("predict", str(stack), "-o", str(output), "--task", "measurement")
    assert code == 0
    told = re.search(r"of 1 object, on average (\S+) voxels \((\S+) um\^3\)", out)
    assert told is not None
    voxels, volume = map(float, told.groups())
    assert voxels == pytest.approx(400, rel=0.2)
    assert volume == pytest.approx(voxels * 0.02, rel=1e-3)
    assert read_labels(output).shape == pixels.shape


@pytest.mark.learn
def test_a_stack_is_refused_in_one_sentence(run: Run, tmp_path: Path) -> None:
    stack, output = tmp_path / "stack.ome.tif", tmp_path / "labels.tif"
    onnx_package(tmp_path / "bright.cytomodel")
    cytopress.write(stack, [Image(np.zeros((3, 40, 40), np.uint16))])
    task = str(tmp_path / "bright.cytomodel")
    code, out, err = run("predict", str(stack), "-o", str(output), "--task", task)
    assert (code, out) == (1, "")
    assert "segments one plane (YX), not ZYX" in err
    assert err.count("\n") == 1
    assert not output.exists()
