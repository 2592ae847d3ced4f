"""Tasks and margin of a study, checked on the originals before any codec runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cytopress.callbacks import Progress, no_progress
from cytopress.errors import TaskError
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.margin import less_text, why_refused
from cytopress.statistics.margin import NOISE
from cytopress.study.facts import score_facts
from cytopress.study.field_inputs import FieldInputs
from cytopress.study.inspect_datasets import InspectedDataset, InspectedField
from cytopress.study.margin_limits import OF_ALL_LIGHT, is_share, report_refused
from cytopress.study.results import ScoreFacts
from cytopress.study.scoring import OriginalScores
from cytopress.study.spec import Study
from cytopress.tasks.objects import CONTRAST
from cytopress.tasks.protocol import Task

# A margin that is refused only if the other fields have so much less than the first is left to
# the end: predicting from every original takes as long as a codec.
FAR = 4.0


def check_on_originals(
    study: Study, inspected: Sequence[InspectedDataset], progress: Progress = no_progress
) -> None:
    """Refuse a study of which only failures, or only refusals, could come.

    Raises
    ------
    TaskError
        No task can predict from any original; the message is that of the first.
    UsageError
        As of `check_margin_on_originals`.
    """
    check_tasks_on_originals(inspected)
    check_margin_on_originals(study, inspected, progress)


def check_tasks_on_originals(inspected: Sequence[InspectedDataset]) -> None:
    """Refuse tasks that can predict from no original; the first that one can ends the search.

    Raises
    ------
    TaskError
        The message is that of the first failure.
    """
    first = ""
    for found in inspected:
        for task in found.tasks:
            for one in found.fields:
                failure = _scored(found, one, task).failure
                if failure is None:
                    return
                first = first or f"{task.name} of {found.facts.name}: {failure.error}"
    if first:
        raise TaskError(f"no task can predict from the originals, so nothing was run. {first}")


def check_margin_on_originals(
    study: Study, inspected: Sequence[InspectedDataset], progress: Progress = no_progress
) -> None:
    """Refuse a study's margin that none of its tasks and datasets could be judged by.

    What `recommend` would refuse at the end is told from the scores of the originals. Where only
    some tasks or datasets are refused, each is a warning.

    Raises
    ------
    UsageError
        The message says why.
    """
    if study.margin is None or study.margin == NOISE:
        return
    pairs = [(found, task) for found in inspected for task in found.tasks]
    asked, refused, remedy = f"--margin {study.margin}", dict[str, str](), ""
    for number, (found, task) in enumerate(pairs):
        progress(number, len(pairs), f"scoring originals of {found.facts.name}")
        criterion = Criterion(task=task.name, margin=study.margin)
        score = next(one for one in score_facts((), [task], inspected) if one.main)
        why, less = _refusal(criterion, score, found, task)
        if why:
            refused[f"{task.name} of {found.facts.name}"] = why
            later = f"none here and `recommend --metric signal_error {asked}` later"
            of_light = score.name == OF_ALL_LIGHT
            remedy = remedy or f"give {less}{f', or {later}' if of_light else ''}"
    report_refused(refused, len(pairs), asked, remedy)


def _refusal(
    criterion: Criterion, score: ScoreFacts, found: InspectedDataset, task: Task
) -> tuple[str, str]:
    """Return why the margin is refused for one task of one dataset, and what to give instead."""
    if is_share(score) and score.name != OF_ALL_LIGHT:
        return "", ""
    originals, contrasts = [], []
    for number, one in enumerate(found.fields):
        original, contrast = _of_original(found, one, task, score)
        # Fields where nothing was found, or no score is to be had, are not judged.
        if original is None or contrast == 0 or (score.better == "higher" and original == 0):
            continue
        originals.append(original)
        contrasts += [] if contrast is None else [contrast]
        if number == 0 and not _is_near(criterion, score, original, contrasts):
            return "", ""
    if not originals:
        return "", ""
    mean = math.fsum(originals) / len(originals)
    return why_refused(criterion, score, mean, contrasts), less_text(criterion, score, mean)


def _is_near(
    criterion: Criterion, score: ScoreFacts, original: float, contrasts: Sequence[float]
) -> bool:
    """Whether a field with ``FAR`` times less would be refused."""
    less = [contrast / FAR for contrast in contrasts]
    return bool(why_refused(criterion, score, original / FAR, less))


def _of_original(
    found: InspectedDataset, one: InspectedField, task: Task, score: ScoreFacts
) -> tuple[float | None, float | None]:
    """Return the score and the contrast of an original; None for what is not to be had."""
    scores = _scored(found, one, task).scores
    return scores.get(score.name), scores.get(CONTRAST)


def _scored(found: InspectedDataset, one: InspectedField, task: Task) -> OriginalScores:
    field, dataset = one.field, found.dataset
    inputs = FieldInputs(
        dataset.read_input(field),
        None if field.target is None else dataset.read_target(field),
        None if field.labels is None else dataset.read_labels(field),
    )
    return inputs.scores_on_original(task)
