"""Task scores on the original and on the decoded image. Touches no disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cytopress.image import Image
from cytopress.study.failures import EXPECTED, Failure, failure_of
from cytopress.tasks.protocol import Prediction, Task


@dataclass(frozen=True)
class OriginalScores:
    """A task's prediction from the original, and its scores: made once a field.

    ``reference`` is the ground truth, or without one the prediction from the original itself.
    ``failure`` is the reason where there is no prediction.
    """

    task: Task
    prediction: Prediction | None
    reference: Prediction | None
    scores: Mapping[str, float]
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class VariantScores:
    """Task scores of one model variant on a decoded image. An error keeps the scores before it.

    ``retry`` is whether any task failed for a reason about the machine.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    retry: bool = False


def score_original(task: Task, original: Image, truth: Prediction | None) -> OriginalScores:
    """Predict from the original, and score against the truth, or against itself without one."""
    try:
        prediction = task.predict(original)
        reference = prediction if truth is None else truth
        scores = task.score(prediction, reference, original)
    except EXPECTED as error:
        return OriginalScores(task, None, truth, {}, failure_of(error))
    return OriginalScores(task, prediction, reference, scores)


def score_decoded(
    originals: Sequence[OriginalScores], decoded: Image
) -> tuple[VariantScores, dict[str, Prediction]]:
    """Predict from a decoded image with every task of a model variant, and score.

    A task that fails stops no other. Returns the scores and the predictions by the tasks' names.
    """
    scores: dict[str, float] = {}
    failures, predictions = [], {}
    for original in originals:
        name = original.task.name
        scores |= {f"{name}/{score}/baseline": v for score, v in original.scores.items()}
        if original.failure is not None:
            failures.append(original.failure)
            continue
        try:
            prediction, task_scores = _task_scores(original, decoded)
        except EXPECTED as error:
            failures.append(failure_of(error))
            continue
        scores |= task_scores
        predictions[name] = prediction
    first = failures[0].error if failures else ""
    retry = any(failure.retry for failure in failures)
    return VariantScores(scores=scores, error=first, retry=retry), predictions


def _task_scores(original: OriginalScores, decoded: Image) -> tuple[Prediction, dict[str, float]]:
    assert original.prediction is not None
    assert original.reference is not None
    task = original.task
    prediction = task.predict(decoded)
    against_truth = task.score(prediction, original.reference, decoded)
    agreement = against_truth
    if original.reference is not original.prediction:
        agreement = task.score(prediction, original.prediction, decoded)
    # "harm" is the exported column of the score on the decoded image.
    scores = {f"{task.name}/{name}/harm": value for name, value in against_truth.items()}
    return prediction, scores | {
        f"{task.name}/{name}/agreement": value for name, value in agreement.items()
    }
