"""What a task makes of a field, before and after coding. Touches no disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cytopress.errors import CodecError, NotAvailableError, TaskError
from cytopress.image import Image
from cytopress.tasks.protocol import Prediction, Task

# What a study expects to happen now and then. Anything else is a bug, and stops it.
EXPECTED = (CodecError, TaskError, NotAvailableError)


@dataclass(frozen=True)
class OriginalScores:
    """What a task makes of the original: made once for a field, not once for a cell.

    ``reference`` is what its scores are held against: the ground truth, or where there is none the
    prediction from the original itself. ``error`` says why there is no prediction.
    """

    task: Task
    prediction: Prediction | None
    reference: Prediction | None
    scores: Mapping[str, float]
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class VariantScores:
    """What one arm made of a coded field. An error leaves in place what was scored before it."""

    scores: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


def score_original(task: Task, original: Image, truth: Prediction | None) -> OriginalScores:
    """Predict from the original and score it against the truth, or itself where there is none."""
    try:
        prediction = task.predict(original)
        reference = prediction if truth is None else truth
        scores = task.score(prediction, reference, original)
    except EXPECTED as error:
        return OriginalScores(task, None, truth, {}, str(error))
    return OriginalScores(task, prediction, reference, scores)


def score_decoded(
    baselines: Sequence[OriginalScores], decoded: Image
) -> tuple[VariantScores, dict[str, Prediction]]:
    """Let every task of an arm predict from a decoded image; one that fails stops no other."""
    scores: dict[str, float] = {}
    failure, predictions = "", {}
    for base in baselines:
        name = base.task.name
        scores |= {f"{name}/{score}/baseline": v for score, v in base.scores.items()}
        try:
            prediction, task_scores = _task_scores(base, decoded)
        except EXPECTED as error:
            failure = failure or str(error)
            continue
        scores |= task_scores
        predictions[name] = prediction
    return VariantScores(scores=scores, error=failure), predictions


def _task_scores(base: OriginalScores, decoded: Image) -> tuple[Prediction, dict[str, float]]:
    if base.prediction is None or base.reference is None:
        raise TaskError(base.error)
    task = base.task
    prediction = task.predict(decoded)
    harm = task.score(prediction, base.reference, decoded)
    alone = base.reference is base.prediction
    agreement = harm if alone else task.score(prediction, base.prediction, decoded)
    scores = {f"{task.name}/{name}/harm": value for name, value in harm.items()}
    return prediction, scores | {
        f"{task.name}/{name}/agreement": value for name, value in agreement.items()
    }
