"""Answers of foreign models are compared as declared."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.errors import TaskError
from cytopress.image import Image
from cytopress.metrics import METRICS, Metric
from cytopress.tasks.foreign.options import IMAGE_SCORES, LABEL_SCORES
from cytopress.tasks.foreign.outputs import COMPARISONS, ImageOutput, LabelsOutput
from cytopress.tasks.objects import Objects, measure_objects


def _objects(*rows: str) -> Objects:
    labels = np.array([[int(digit) for digit in row] for row in rows])
    return measure_objects(labels, Image(np.ones(labels.shape, np.uint8)))


def test_every_score_that_may_be_declared_is_there() -> None:
    assert set(LABEL_SCORES) == set(COMPARISONS)
    assert all(isinstance(METRICS[name], Metric) for name in IMAGE_SCORES)


def test_objects_by_hand() -> None:
    reference = _objects("1100", "0022", "3300")
    test = _objects("0110", "0022", "0000")
    found = LabelsOutput(LABEL_SCORES, 0.5, 0).compare(test, reference)
    assert found == pytest.approx(
        {"count_error": 1 / 3, "iou": 3 / 7, "dice": 6 / 10, "objects": 2}
    )


def test_nothing_agrees_with_nothing() -> None:
    answer = LabelsOutput(LABEL_SCORES, 0.5, 0)
    empty, one = _objects("000"), _objects("011")
    assert answer.compare(empty, empty) == {"count_error": 0, "iou": 1, "dice": 1, "objects": 0}
    assert answer.compare(one, empty) == {"count_error": 1, "iou": 0, "dice": 0, "objects": 1}


def test_the_range_is_declared_or_the_reference_s() -> None:
    reference = Image(np.arange(400, dtype=np.float32).reshape(20, 20))
    test = Image(reference.pixels * 3)
    error = float(np.sqrt(np.mean((2.0 * reference.pixels) ** 2)))
    span = np.ptp(np.percentile(reference.pixels, (0.01, 99.99)))
    declared, own = ImageOutput(("nrmse",), 50.0), ImageOutput(("nrmse",), None)
    assert declared.compare(test, reference)["nrmse"] == pytest.approx(error / 50)
    assert own.compare(test, reference)["nrmse"] == pytest.approx(error / span, rel=1e-5)
    # The wider test as reference makes the same error smaller: its range is never the test's.
    assert own.compare(reference, test)["nrmse"] == pytest.approx(error / span / 3, rel=1e-5)


def test_scores_keep_their_direction_and_order() -> None:
    scores = ImageOutput(("nrmse", "pearson"), None).scores
    assert [(score.name, score.better) for score in scores] == [
        ("nrmse", "lower"),
        ("pearson", "higher"),
    ]
    assert [score.better for score in LabelsOutput(LABEL_SCORES, 0, 0).scores] == [
        "lower",
        "higher",
        "higher",
        "higher",
    ]


def test_a_target_of_counts_is_compared_with_floats() -> None:
    counts = Image(np.random.default_rng(0).integers(0, 999, (30, 30)).astype(np.uint16))
    answer = ImageOutput(("pearson", "ssim", "nrmse"), None)
    same = answer.compare(Image(counts.pixels.astype(np.float32)), counts)
    assert same == pytest.approx({"pearson": 1, "ssim": 1, "nrmse": 0})


def test_a_constant_image_has_no_correlation() -> None:
    flat, image = Image(np.full((9, 9), 3, np.uint8)), Image(np.eye(9, dtype=np.float32))
    assert ImageOutput(("pearson",), None).compare(flat, image)["pearson"] == 0
    assert ImageOutput(("nrmse",), None).compare(image, flat)["nrmse"] > 0


def test_what_cannot_be_compared() -> None:
    image, small = Image(np.eye(9, dtype=np.uint8)), Image(np.eye(8, dtype=np.uint8))
    answer = ImageOutput(("ssim",), None)
    with pytest.raises(TaskError, match="equal shapes"):
        answer.compare(image, small)
    with pytest.raises(TaskError, match="11 pixels"):
        answer.compare(image, image)
    with pytest.raises(TaskError, match="images are scored"):
        answer.compare(image, {"count": 1.0})
    labels = LabelsOutput(("iou",), 0, 0)
    with pytest.raises(TaskError, match="objects are scored"):
        labels.compare(image, _objects("01"))
    with pytest.raises(TaskError, match="equal shapes"):
        labels.compare(_objects("011"), _objects("01"))
