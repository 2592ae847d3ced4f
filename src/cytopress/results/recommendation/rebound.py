"""Bound of a recommended setting where its fields were decoded by other means, as in chunks."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cytopress.errors import NotAvailableError
from cytopress.results.dataset_summary import DatasetSummary, dataset_summaries
from cytopress.results.recommendation.bounds import bounded_settings
from cytopress.results.recommendation.evidence import evidence_of
from cytopress.results.recommendation.recorded import RecordedRecommendation
from cytopress.results.recommendation.setting import spec_of
from cytopress.study.results import Results, ScoreFacts
from cytopress.study.trial import Trial


@dataclass(frozen=True, kw_only=True)
class Rebound:
    """Loss of a setting in the score's unit: its mean, and the most at the confidence asked.

    ``bound`` is None where nothing is shown. ``unit`` is the score's ("" for none).
    """

    harm: float
    bound: float | None
    fields: int
    unit: str


def rebound(
    results: Results,
    recorded: RecordedRecommendation,
    scores: Mapping[str, Sequence[Mapping[str, float]]],
) -> Rebound:
    """Bound the loss of a recommended setting again, by the method of the recommendation.

    Its place among the settings of its codec and their number stay those of the study, so the bound
    is one of all claims together.

    Parameters
    ----------
    results : Results
        Of the study.
    recorded : RecordedRecommendation
        The recommendation.
    scores : mapping
        By the key of each trial of the setting, the task scores of each model variant.

    Raises
    ------
    NotAvailableError
        The study does not hold the setting, or its score cannot get worse.
    """
    score = next(
        one for one in results.scores if (one.task, one.name) == (recorded.task, recorded.metric)
    )
    before = _summary(results, recorded)
    at_floor = evidence_of(results, before, score).at_floor
    after = _summary(
        dataclasses.replace(results, trials=_rescored(results, recorded.dataset, score, scores)),
        recorded,
    )
    bounded = bounded_settings(after.lossy, score, confidence=recorded.confidence, without=at_floor)
    for one in bounded:
        if spec_of(one.point) == recorded.spec and one.effect.mean is not None:
            return Rebound(
                harm=one.effect.mean, bound=one.bound, fields=one.effect.fields, unit=score.unit
            )
    raise NotAvailableError(f"The study holds no score of {recorded.spec} on {recorded.dataset}.")


def _summary(results: Results, recorded: RecordedRecommendation) -> DatasetSummary:
    found = (one for one in dataset_summaries(results) if one.facts.name == recorded.dataset)
    summary = next(found, None)
    if summary is None:
        raise NotAvailableError(f"The study has no dataset {recorded.dataset}.")
    return summary


def _rescored(
    results: Results,
    dataset: str,
    score: ScoreFacts,
    scores: Mapping[str, Sequence[Mapping[str, float]]],
) -> tuple[Trial, ...]:
    """Return the trials, those that were scored again with their new scores of the task."""
    # Of one trial there is a row for each model variant, in their order.
    rows: Counter[tuple[str, str]] = Counter()
    found = []
    for trial in results.trials:
        if trial.dataset == dataset and trial.key in scores:
            place = (trial.key, trial.field)
            new = scores[trial.key][rows[place]]
            rows[place] += 1
            kept = {k: v for k, v in trial.scores.items() if not k.startswith(f"{score.task}/")}
            found.append(dataclasses.replace(trial, scores=kept | dict(new)))
        else:
            found.append(trial)
    return tuple(found)
