"""What every task keeps, whatever it predicts."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

from cytopress.image import Image
from cytopress.settings import from_environment
from cytopress.tasks.protocol import Task
from cytopress.tasks.registry import tasks

TASKS = tasks(from_environment())


@pytest.fixture(params=TASKS, ids=lambda task: task.name)
def task(request: pytest.FixtureRequest) -> Task:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def image() -> Image:
    counts = np.random.default_rng(5).integers(200, 3000, (70, 90)).astype(np.uint16)
    return Image(counts, spacing_um=(0.5, 0.5), name="original")


def test_names_are_stable_and_of_a_family(task: Task) -> None:
    assert re.fullmatch(r"[a-z0-9-]+(/[a-z0-9._-]+)?", task.name)


def test_weights_are_a_digest(task: Task) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", task.weights)


def test_prediction_depends_on_the_pixels_alone(task: Task, image: Image) -> None:
    before = image.pixels.copy()
    first = task.predict(image)
    renamed = task.predict(Image(image.pixels.copy(), name="decoded"))
    np.testing.assert_array_equal(image.pixels, before)
    if isinstance(first, Image):
        assert isinstance(renamed, Image)
        first, renamed = first.pixels, renamed.pixels
    np.testing.assert_equal(first, renamed)


def test_scores_are_the_declared_ones_in_order_and_finite(task: Task, image: Image) -> None:
    prediction = task.predict(image)
    found = task.score(prediction, prediction, image)
    assert list(found) == [score.name for score in task.scores]
    assert np.isfinite(list(found.values())).all()


def test_agreement_with_itself_is_never_beaten(task: Task, image: Image) -> None:
    shaken = image.with_pixels(image.pixels[::-1].copy())
    prediction, other = task.predict(image), task.predict(shaken)
    best, worse = (task.score(p, prediction, image) for p in (prediction, other))
    for score in task.scores:
        gain = best[score.name] - worse[score.name]
        assert gain >= 0 if score.better == "higher" else gain <= 0


def test_travels_to_a_worker(task: Task, image: Image) -> None:
    there = pickle.loads(pickle.dumps(task))
    assert (there.name, there.weights) == (task.name, task.weights)
