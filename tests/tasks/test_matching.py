"""Matching against an assignment problem solved by scipy, and by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import linear_sum_assignment

from cytopress.image import Image
from cytopress.tasks.matching import THRESHOLDS, match
from cytopress.tasks.objects import Objects, measure_objects

Labels = npt.NDArray[np.int_]


def _objects(labels: Labels) -> Objects:
    return measure_objects(labels, Image(np.zeros(labels.shape, np.uint8)))


def _squares(shift: int = 0, *, side: int = 10, missing: int = 0) -> Labels:
    """Return 5 x 5 squares on a grid of 16 pixels, shifted, without the first few."""
    labels = np.zeros((80, 80), int)
    for number in range(missing, 25):
        y, x = 16 * (number // 5), 16 * (number % 5) + shift
        labels[y : y + side, x : x + side] = number + 1
    return labels


def _shaken(seed: int) -> tuple[Labels, Labels]:
    """Return random discs, and the same ones moved, resized, lost and added."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:90, :110]
    sides: tuple[Labels, Labels] = (np.zeros(y.shape, int), np.zeros(y.shape, int))
    for number in range(1, 21):
        cy, cx, radius = rng.uniform(0, 90), rng.uniform(0, 110), rng.uniform(2, 9)
        for side in sides:
            if rng.random() < 0.85:
                near = (y - cy) ** 2 + (x - cx) ** 2 < (radius * rng.uniform(0.85, 1.1)) ** 2
                side[near] = number
            cy, cx = cy + rng.normal(0, 0.6), cx + rng.normal(0, 0.6)
    return sides


def _solved(prediction: Labels, reference: Labels, threshold: float) -> tuple[int, int, int]:
    """Return TP, FP and FN by the best assignment of all pairs above the threshold."""
    ours, theirs = (np.unique(side[side > 0]) for side in (prediction, reference))
    iou = np.array(
        [
            [
                np.sum((prediction == a) & (reference == b))
                / np.sum((prediction == a) | (reference == b))
                for b in theirs
            ]
            for a in ours
        ]
    )
    rows, columns = linear_sum_assignment(-(iou > threshold).astype(float))
    true = int(np.sum(iou[rows, columns] > threshold))
    return true, ours.size - true, theirs.size - true


@pytest.mark.parametrize("seed", range(4))
def test_as_the_assignment_problem(seed: int) -> None:
    prediction, reference = _shaken(seed)
    found = match(_objects(prediction), _objects(reference))
    precisions = []
    for threshold in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9):
        true, more, less = _solved(prediction, reference, threshold)
        precisions.append(true / (true + more + less))
        assert found.f1(threshold) == pytest.approx(2 * true / (2 * true + more + less))
        assert found.average_precision([threshold]) == pytest.approx(precisions[-1])
    assert 0 <= min(precisions) < max(precisions) < 1
    assert found.average_precision() == pytest.approx(np.mean(precisions))


def test_thresholds_are_the_field_s() -> None:
    assert THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


def test_a_known_shift() -> None:
    """Squares of side 10 moved by 2: IoU is 80 / 120, above 0.5, 0.55, 0.6 and 0.65 alone."""
    found = match(_objects(_squares(2)), _objects(_squares()))
    assert found.iou == pytest.approx(np.full(25, 2 / 3))
    assert found.average_precision() == pytest.approx(4 / 9)
    assert found.f1(0.5) == 1


def test_a_known_shift_in_three_dimensions() -> None:
    """Cubes of side 10 moved by 1 along each axis: the IoU is 729 / (2000 - 729)."""
    cubes = np.zeros((28, 44, 44), int)
    for number, (z, y, x) in enumerate(np.ndindex(2, 3, 3), start=1):
        cubes[14 * z : 14 * z + 10, 14 * y : 14 * y + 10, 14 * x : 14 * x + 10] = number
    found = match(_objects(np.roll(cubes, (1, 1, 1), (0, 1, 2))), _objects(cubes))
    assert found.objects == (18, 18)
    assert found.iou == pytest.approx(np.full(18, 729 / 1271))
    # Above 0.5 and 0.55, of nine thresholds.
    assert found.average_precision() == pytest.approx(2 / 9)


def test_half_is_not_enough() -> None:
    """An IoU of exactly 0.5 could have two partners."""
    squares = _squares()
    right = np.arange(80) % 16 >= 5
    halves = np.where((squares > 0) & right, squares + 100, squares)
    found = match(_objects(halves), _objects(squares))
    assert found.objects == (25, 50)
    assert found.iou.size == 0


def test_lost_objects() -> None:
    found = match(_objects(_squares(missing=5)), _objects(_squares()))
    assert found.f1(0.5) == pytest.approx(40 / 45)
    assert found.average_precision() == pytest.approx(20 / 25)
    np.testing.assert_array_equal(found.reference, np.arange(5, 25))
    np.testing.assert_array_equal(found.prediction, np.arange(20))


def test_merged_objects_are_lost() -> None:
    merged = np.where(_squares() > 0, 1, 0)
    assert match(_objects(merged), _objects(_squares())).f1(0.5) == 0


def test_nothing_against_nothing_and_against_something() -> None:
    nothing, squares = _objects(np.zeros((80, 80), int)), _objects(_squares())
    both = match(nothing, nothing)
    assert (both.f1(0.5), both.average_precision()) == (1, 1)
    for pair in ((nothing, squares), (squares, nothing)):
        found = match(*pair)
        assert (found.f1(0.5), found.average_precision()) == (0, 0)
