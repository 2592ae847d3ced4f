"""Instances from pixels whose classes are known, since they were made from labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from cytopress.image import Image
from cytopress.tasks.builtin.instances import instances
from cytopress.tasks.matching import Matches, match
from cytopress.tasks.objects import measure_objects

Labels = npt.NDArray[np.int_]
OPTIONS = {"interior": 0.5, "foreground": 0.5, "min_area": 5}


def _discs(*circles: tuple[float, float, float]) -> Labels:
    y, x = np.mgrid[:60, :80]
    labels = np.zeros(y.shape, int)
    for number, (cy, cx, radius) in enumerate(circles, 1):
        labels[((y - cy) ** 2 + (x - cx) ** 2 < radius**2) & (labels == 0)] = number
    return labels


def _ideal(labels: Labels, *, sure: float = 12.0) -> npt.NDArray[np.float32]:
    """Return logits that are sure of each pixel; a pixel beside another label is boundary."""
    apart = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        for step in (-1, 1):
            apart |= np.roll(labels, step, axis) != labels
    classes = (labels == 0, (labels > 0) & ~apart, (labels > 0) & apart)
    return np.stack(classes).astype(np.float32) * np.float32(sure)


def _compare(found: Labels, labels: Labels) -> Matches:
    image = Image(np.zeros(labels.shape, np.uint8))
    return match(measure_objects(found, image), measure_objects(labels, image))


def _balls(*balls: tuple[float, float, float, float], spacing: tuple[float, ...]) -> Labels:
    """Return balls of (z, y, x, radius) in um, in voxels of this spacing."""
    shape = [round(20 / step) for step in spacing]
    place = [step * index for step, index in zip(spacing, np.indices(shape), strict=True)]
    labels = np.zeros(shape, int)
    for number, (*center, radius) in enumerate(balls, 1):
        away = sum((axis - at) ** 2 for axis, at in zip(place, center, strict=True))
        labels[(away < radius**2) & (labels == 0)] = number
    return labels


APART = _discs((15, 15, 8), (40, 20, 6), (25, 55, 11))
TOUCHING = _discs((30, 20, 11), (30, 40, 11), (30, 60, 11), (12, 30, 9))


@pytest.mark.parametrize("labels", [APART, TOUCHING], ids=["apart", "touching"])
def test_a_sure_network_gives_the_objects_back(labels: Labels) -> None:
    found = instances(_ideal(labels), **OPTIONS)
    assert _compare(found, labels).average_precision() == 1
    np.testing.assert_array_equal(found > 0, labels > 0)
    np.testing.assert_array_equal(found, instances(_ideal(labels), **OPTIONS))


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (1.0, 0.4, 0.4)])
def test_balls_that_touch_along_each_axis_are_parted(spacing: tuple[float, ...]) -> None:
    balls = (10, 6, 6, 4), (10, 6, 13.5, 4), (10, 13, 9, 4), (17, 6, 7, 3.5), (3, 12, 8, 3.8)
    labels = _balls(*balls, spacing=spacing)
    assert ndimage.label(labels > 0)[1] == 1
    found = _compare(instances(_ideal(labels), **OPTIONS), labels)
    assert found.objects == (5, 5)
    assert found.average_precision() == 1


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (1.0, 0.4, 0.4)])
def test_a_bridge_between_balls_is_cut_where_it_is_thinnest(spacing: tuple[float, ...]) -> None:
    """A hole of 1.2 um in the boundary; voxels that are no cubes make no difference."""
    labels = _balls((8, 10, 6.5, 4), (12, 10, 13, 4), spacing=spacing)
    logits = _ideal(labels)
    place = [step * index for step, index in zip(spacing, np.indices(labels.shape), strict=True)]
    away = sum((axis - at) ** 2 for axis, at in zip(place, (10, 10, 9.75), strict=True))
    hole = (logits[2] > 0) & (away < 1.2**2)
    logits[1, hole], logits[2, hole] = logits[2, hole], 0
    assert _compare(instances(logits, **OPTIONS), labels).objects == (2, 1)
    parted = _compare(instances(logits, **OPTIONS, core=1.8, spacing=spacing), labels)
    assert parted.objects == (2, 2)
    assert parted.iou.min() > 0.9


def test_a_seed_is_as_deep_as_it_must_be() -> None:
    """Of balls with a radius of 2 and 4 um, and boundaries a voxel thick, one is deeper than 2."""
    spacing = (0.4, 0.4, 0.4)
    labels = _balls((10, 5, 5, 2), (10, 13, 13, 4), spacing=spacing)
    found = instances(_ideal(labels), **OPTIONS, core=2.0, spacing=spacing)
    np.testing.assert_array_equal(found > 0, labels == 2)


def test_touching_objects_are_one_without_their_boundary() -> None:
    """So the test above can fail."""
    assert ndimage.label(TOUCHING > 0)[1] == 1
    background, interior, boundary = _ideal(TOUCHING)
    whole = np.stack([background, interior + boundary, np.zeros_like(boundary)])
    assert _compare(instances(whole, **OPTIONS), TOUCHING).objects == (4, 1)


def test_an_unsure_network_is_held_to_the_thresholds() -> None:
    """Logits of 1 against 0, 0 are a probability of e / (e + 2) = 0.576."""
    logits = _ideal(APART, sure=1.0)
    assert _compare(instances(logits, **OPTIONS), APART).f1(0.5) == 1
    assert not instances(logits, **(OPTIONS | {"interior": 0.58})).any()
    # 1 - P(background) is 0.788 in the objects and 0.424 outside.
    assert _compare(instances(logits, **(OPTIONS | {"foreground": 0.78})), APART).f1(0.5) == 1
    assert not instances(logits, **(OPTIONS | {"foreground": 0.79})).any()
    assert (instances(logits, **(OPTIONS | {"foreground": 0.42})) > 0).all()


def test_foreground_without_a_seed_is_no_object() -> None:
    logits = _ideal(APART)
    second = APART == 2
    logits[2][second] += logits[1][second]
    logits[1][second] = 0
    found = instances(logits, **OPTIONS)
    assert not found[second].any()
    assert _compare(found, APART).objects == (3, 2)


def test_small_objects_go() -> None:
    areas = np.bincount(APART.ravel())[1:]
    found = instances(_ideal(APART), **(OPTIONS | {"min_area": int(areas.min()) + 1}))
    assert _compare(found, APART).objects == (3, 2)


def test_nothing_is_no_object() -> None:
    assert not instances(_ideal(np.zeros((9, 9), int)), **OPTIONS).any()


def test_great_logits_stay_finite() -> None:
    found = instances(_ideal(APART, sure=1e30), **OPTIONS)
    assert _compare(found, APART).average_precision() == 1
