"""What every task keeps, whatever it predicts."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from cytopress.errors import TaskError
from cytopress.image import Image
from cytopress.settings import from_environment
from cytopress.tasks.builtin.packaged import PackagedTask
from cytopress.tasks.builtin.segmentation import Segmentation
from cytopress.tasks.objects import Objects
from cytopress.tasks.protocol import Prediction, Task
from cytopress.tasks.registry import tasks
from fakes.segmentation import computed_package, onnx_package
from fakes.tasks import Deaf

TASKS = {task.name: task for task in tasks(from_environment())}


@pytest.fixture(
    params=[
        *TASKS,
        "segmentation, computed",
        "segmentation of volumes, computed",
        pytest.param("segmentation", marks=pytest.mark.learn),
    ]
)
def task(request: pytest.FixtureRequest, tmp_path: Path) -> Task:
    if request.param == "segmentation, computed":
        return Segmentation(computed_package())
    if request.param == "segmentation of volumes, computed":
        return Segmentation(computed_package(axes="ZYX"))
    if request.param == "segmentation":
        return Segmentation(onnx_package(tmp_path / "tiny.cytomodel"))
    return TASKS[request.param]


@pytest.fixture
def image(task: Task) -> Image:
    shape = (70, 90) if _axes(task) == "YX" else (12, 40, 48)
    counts = np.random.default_rng(5).integers(200, 3000, shape).astype(np.uint16)
    return Image(counts, spacing_um=(0.5,) * len(shape), name="original")


def test_names_are_stable_and_of_a_family(task: Task) -> None:
    assert re.fullmatch(r"[a-z0-9-]+(/[a-z0-9._-]+)?", task.name)


def test_weights_are_a_digest(task: Task) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", task.weights)


def test_prediction_depends_on_the_pixels_alone(task: Task, image: Image) -> None:
    before = image.pixels.copy()
    first = task.predict(image)
    renamed = task.predict(Image(image.pixels.copy(), name="decoded"))
    np.testing.assert_array_equal(image.pixels, before)
    np.testing.assert_equal(_plain(first), _plain(renamed))


def test_hard_images_are_predicted_or_refused(task: Task, hard_set: dict[str, Image]) -> None:
    predicted = 0
    for name, hard in hard_set.items():
        try:
            found = task.predict(hard)
        except TaskError:
            assert hard.axes != _axes(task), name
            continue
        predicted += 1
        if isinstance(found, Image):
            assert found.shape == hard.shape
        elif isinstance(found, Objects):
            assert found.labels.shape == hard.shape
            assert np.isfinite(found.intensity).all(), name
    assert predicted


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


def test_what_ignores_its_input_is_never_harmed(task: Task, image: Image) -> None:
    deaf = Deaf(task, image)
    truth = task.predict(image.with_pixels(image.pixels[:, ::-1].copy()))
    baseline = deaf.score(deaf.predict(image), truth, image)
    best = task.score(task.predict(image), task.predict(image), image)
    for ruined in (image.pixels // 2, np.zeros_like(image.pixels), image.pixels[::-1].copy()):
        decoded = image.with_pixels(ruined)
        assert deaf.score(deaf.predict(decoded), truth, decoded) == baseline
        assert deaf.score(deaf.predict(decoded), deaf.predict(image), decoded) == best


def test_travels_to_a_worker(task: Task, image: Image) -> None:
    there = pickle.loads(pickle.dumps(task))
    assert (there.name, there.weights) == (task.name, task.weights)


def _axes(task: Task) -> str:
    return task.axes if isinstance(task, PackagedTask) else "YX"


def _plain(prediction: Prediction) -> object:
    """Return what numpy can compare."""
    if isinstance(prediction, Image):
        return prediction.pixels
    if isinstance(prediction, Objects):
        return prediction.labels, prediction.area, prediction.intensity
    return prediction
