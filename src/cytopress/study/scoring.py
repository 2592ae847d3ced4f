"""Task scores on the original and on the decoded image. Touches no disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cytopress.errors import CodecError, CorruptDataError, NotAvailableError, TaskError
from cytopress.image import Image
from cytopress.tasks.protocol import Prediction, Task

# Failures that are results of a trial, a codec's own bytes that do not decode among them. Any other
# exception is a bug, and stops the study.
EXPECTED = (CodecError, CorruptDataError, TaskError, NotAvailableError)


@dataclass(frozen=True)
class OriginalScores:
    """A task's prediction from the original, and its scores: made once a field.

    ``reference`` is the ground truth, or without one the prediction from the original itself.
    ``error`` is the reason where there is no prediction, else "".
    """

    task: Task
    prediction: Prediction | None
    reference: Prediction | None
    scores: Mapping[str, float]
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class VariantScores:
    """Task scores of one model variant on a decoded image. An error keeps the scores before it."""

    scores: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


def score_original(task: Task, original: Image, truth: Prediction | None) -> OriginalScores:
    """Predict from the original, and score against the truth, or against itself without one."""
    try:
        prediction = task.predict(original)
        reference = prediction if truth is None else truth
        scores = task.score(prediction, reference, original)
    except EXPECTED as error:
        return OriginalScores(task, None, truth, {}, str(error))
    return OriginalScores(task, prediction, reference, scores)


def score_decoded(
    originals: Sequence[OriginalScores], decoded: Image
) -> tuple[VariantScores, dict[str, Prediction]]:
    """Predict from a decoded image with every task of a model variant, and score.

    A task that fails stops no other. Returns the scores and the predictions by the tasks' names.
    """
    scores: dict[str, float] = {}
    failure, predictions = "", {}
    for original in originals:
        name = original.task.name
        scores |= {f"{name}/{score}/baseline": v for score, v in original.scores.items()}
        try:
            prediction, task_scores = _task_scores(original, decoded)
        except EXPECTED as error:
            failure = failure or str(error)
            continue
        scores |= task_scores
        predictions[name] = prediction
    return VariantScores(scores=scores, error=failure), predictions


def _task_scores(original: OriginalScores, decoded: Image) -> tuple[Prediction, dict[str, float]]:
    if original.prediction is None or original.reference is None:
        raise TaskError(original.error)
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
