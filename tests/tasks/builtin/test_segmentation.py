"""Segmentation with a model that finds what is bright; see `fakes.segmentation`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from skimage.segmentation import find_boundaries

from cytopress.datasets.catalogue import dataset
from cytopress.errors import NotAvailableError, PackageError, TaskError
from cytopress.image import Image
from cytopress.settings import Settings
from cytopress.tasks.builtin.instances import instances
from cytopress.tasks.builtin.segmentation import SCORES, Segmentation
from cytopress.tasks.objects import measure_objects
from fakes.segmentation import MANIFEST, Computed, computed_package, onnx_package

TASK = Segmentation(computed_package())
PERFECT = {score.name: float(score.better == "higher") for score in SCORES}
WORST = {score.name: float(score.better == "lower") for score in SCORES}


def _cells(*, level: float = 800.0, seed: int = 3) -> tuple[Image, np.ndarray]:
    """Return discs on a background of 500 counts with noise, and their labels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :120]
    labels = np.zeros(y.shape, int)
    for number in range(12):
        cy, cx = 16 + 30 * (number // 4), 16 + 29 * (number % 4)
        labels[(y - cy) ** 2 + (x - cx) ** 2 < rng.uniform(6, 10) ** 2] = number + 1
    counts = 500 + level * ndimage.gaussian_filter((labels > 0).astype(float), 0.7)
    noisy = rng.normal(counts, 15)
    return Image(np.rint(noisy).astype(np.uint16), spacing_um=(0.5, 0.5)), labels


def test_finds_and_measures_the_objects() -> None:
    image, labels = _cells()
    truth = measure_objects(labels, image)
    found = TASK.predict(image)
    scores = TASK.score(found, truth, image)
    assert found.count == 12
    assert scores["f1_50"] == scores["average_precision_50"] == 1
    assert scores["average_precision"] > 0.8
    assert scores["count_error"] == 0
    assert 0 < scores["area_error"] < 0.1
    assert 0 < scores["intensity_error"] < 0.05


def test_finds_and_measures_the_objects_of_a_volume() -> None:
    spacing, (z, y, x) = (0.5, 0.25, 0.25), np.indices((24, 60, 60))
    labels, volumes = np.zeros(z.shape, int), []
    for number, center in enumerate([(3, 4, 4), (8, 11, 4), (3, 11, 11), (9, 4, 11)], start=1):
        radius = 1.8 + 0.2 * number
        away = [step * axis - at for step, axis, at in zip(spacing, (z, y, x), center, strict=True)]
        labels[sum(part**2 for part in away) < radius**2] = number
        volumes.append(4 / 3 * np.pi * radius**3)
    counts = np.random.default_rng(1).normal(500 + 800 * (labels > 0), 15)
    image = Image(np.rint(counts).astype(np.uint16), spacing_um=spacing)
    task, truth = Segmentation(computed_package(axes="ZYX")), measure_objects(labels, image)
    found = task.predict(image)
    assert found.count == 4
    assert truth.physical_size is not None
    np.testing.assert_allclose(truth.physical_size, volumes, rtol=0.05)
    scores = task.score(found, truth, image)
    assert list(scores) == [score.name for score in task.scores]
    assert "area_error" not in scores
    assert scores["average_precision_50"] == 1
    # The model's threshold lies a voxel outside of the balls.
    assert scores["volume_error"] < 0.45
    assert scores["intensity_error"] < 0.2
    with pytest.raises(TaskError, match=r"segments a volume \(ZYX\), not YX"):
        task.predict(_cells()[0])


@pytest.mark.learn
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (33, 47), (96, 120)])
def test_a_real_package_does_what_is_computed(tmp_path: Path, shape: tuple[int, int]) -> None:
    real = Segmentation(onnx_package(tmp_path / "bright.cytomodel"), threads=1)
    image, _ = _cells()
    image = Image(image.pixels[: shape[0], : shape[1]].copy())
    found, expected = real.predict(image), TASK.predict(image)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.intensity, expected.intensity)
    assert (real.name, real.weights) == ("segmentation/bright", real.package.sha256)


@pytest.mark.parametrize("tile", [7, 32, 100])
def test_tiled_is_untiled(tile: int) -> None:
    image, _ = _cells()
    tiled = dataclasses.replace(TASK, tile=tile).predict(image)
    whole = dataclasses.replace(TASK, tile=10_000).predict(image)
    np.testing.assert_array_equal(tiled.labels, whole.labels)


def test_gain_is_seen_by_the_intensity_alone() -> None:
    """The network standardizes it away; the measurement does not."""
    image, _ = _cells()
    original = TASK.predict(image)
    brighter = Image(image.pixels.astype(np.float32) * np.float32(1.02))
    found = TASK.predict(brighter)
    scores = TASK.score(found, original, brighter)
    signal = 0.02 / original.contrast
    seen = {"intensity_error": 0.02, "signal_error": signal, "contrast": original.contrast}
    seen["objects"] = original.count
    assert scores == pytest.approx(PERFECT | seen, abs=1e-3)


def test_errors_are_those_of_each_object() -> None:
    """One grows and one shrinks: their mean stays, and yet both are wrong."""
    image = Image(np.full((20, 40), 100, np.uint8))
    reference, prediction = np.zeros((20, 40), int), np.zeros((20, 40), int)
    reference[2:12, 2:12], reference[2:12, 22:32] = 1, 2
    prediction[2:14, 2:12], prediction[2:10, 22:32] = 1, 2
    found = TASK.score(measure_objects(prediction, image), measure_objects(reference, image), image)
    assert found["area_error"] == pytest.approx(0.2)
    assert found["intensity_error"] == found["count_error"] == 0
    # IoU are 100 / 120 and 80 / 100: two matches up to 0.75, one at 0.8, none from 0.85 on.
    assert found["average_precision"] == pytest.approx((6 + 1 / 3) / 9)


def test_only_matched_objects_are_measured() -> None:
    image, labels = _cells()
    truth, lost = measure_objects(labels, image), measure_objects(labels * (labels > 3), image)
    found = TASK.score(lost, truth, image)
    assert found == pytest.approx(
        {
            "average_precision": 9 / 12,
            "average_precision_50": 9 / 12,
            "f1_50": 18 / 21,
            "count_error": 3 / 12,
            "area_error": 0,
            "intensity_error": 0,
            "signal_error": 0,
            "contrast": lost.contrast,
            "objects": 9,
        }
    )


def test_nothing_found_and_nothing_there() -> None:
    image, labels = _cells()
    nothing = measure_objects(np.zeros_like(labels), image)
    truth = measure_objects(labels, image)
    assert TASK.score(nothing, nothing, image) == PERFECT | {"contrast": 0.0, "objects": 0}
    assert TASK.score(nothing, truth, image) == WORST
    told = {"contrast": truth.contrast, "objects": 12}
    assert TASK.score(truth, nothing, image) == WORST | told
    assert list(WORST) == list(TASK.score(truth, truth, image))


@pytest.mark.parametrize("pixels", [np.zeros((30, 30), np.uint8), np.full((1, 1), 9, np.uint16)])
def test_a_constant_image_holds_no_objects(pixels: np.ndarray) -> None:
    class Imagines(Computed):
        def run(self, graph: str, *inputs: Any, **_: Any) -> list[np.ndarray]:
            return [np.stack([0 * inputs[0], 9 + inputs[0], 0 * inputs[0]], axis=1)[:, :, 0]]

    task = Segmentation(Imagines(Path("x"), "0" * 64, MANIFEST))
    assert task.predict(Image(pixels)).count == 0


def test_a_stack_is_refused() -> None:
    with pytest.raises(TaskError, match=r"one plane \(YX\), not ZYX"):
        TASK.predict(Image(np.zeros((3, 30, 30), np.uint8)))


def test_images_are_not_objects() -> None:
    image, _ = _cells()
    with pytest.raises(TaskError, match="segmentation/bright scores objects"):
        TASK.score(image, image, image)


def test_a_network_of_one_channel_is_refused() -> None:
    class Single(Computed):
        def run(self, graph: str, *inputs: Any, **_: Any) -> list[np.ndarray]:
            return [inputs[0]]

    task = Segmentation(Single(Path("x.cytomodel"), "0" * 64, MANIFEST))
    with pytest.raises(PackageError, match=r"x.cytomodel: .*\(3, 96, 120\).*boundary"):
        task.predict(_cells()[0])


@pytest.mark.parametrize("key", ["stride", "reach", "input", "segmentation"])
def test_a_manifest_that_lacks_something(key: str) -> None:
    manifest = {name: value for name, value in MANIFEST.items() if name != key}
    with pytest.raises(PackageError, match=key):
        Segmentation(Computed(Path("x"), "0" * 64, manifest))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"axes": "TYX"}, "axes YX or ZYX, not TYX"),
        ({"stride": [1, 1, 1]}, r"stride in the manifest must be .* axis of YX"),
        ({"axes": "ZYX", "reach": [1, 1]}, r"reach in the manifest must be .* axis of ZYX"),
        ({"stride": 0}, "stride in the manifest"),
    ],
)
def test_axes_that_make_no_sense(change: dict[str, Any], said: str) -> None:
    with pytest.raises(PackageError, match=said):
        Segmentation(computed_package(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"interior": 0},
        {"interior": 1.5},
        {"foreground": None},
        {"foreground": "0.5"},
        {"foreground": True},
        {"min_area": -1},
        {"min_area": float("nan")},
    ],
)
def test_options_that_make_no_sense(change: dict[str, Any]) -> None:
    (key,) = change
    with pytest.raises(PackageError, match=rf"segmentation\.{key} in the manifest must be"):
        Segmentation(computed_package(segmentation=MANIFEST["segmentation"] | change))


def test_labels_of_real_nuclei_come_back_through_an_ideal_network(settings: Settings) -> None:
    try:
        data = dataset("scratch-assay", settings)
    except NotAvailableError as error:
        pytest.skip(str(error))
    precisions = []
    for field in data.part("test"):
        labels, image = data.read_labels(field), data.read_target(field)
        edge = find_boundaries(labels, mode="inner") & (labels > 0)
        logits = np.stack([labels == 0, (labels > 0) & ~edge, edge]).astype(np.float32) * 9
        found = measure_objects(instances(logits, interior=0.5, foreground=0.5, min_area=0), image)
        scores = TASK.score(found, measure_objects(labels, image), image)
        precisions.append(scores["average_precision"])
        assert scores["intensity_error"] == 0
    # What is lost are slivers at the edge of the crop, which have no interior.
    assert np.mean(precisions) > 0.97
