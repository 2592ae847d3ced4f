"""Recommendation: the setting of fewest bytes whose loss is shown to stay inside a margin."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from cytopress.errors import (
    CytopressError,
    CytopressWarning,
    NotAvailableError,
    UnknownNameError,
    UsageError,
)
from cytopress.results.curves import Curve
from cytopress.results.dataset_summary import DatasetSummary, dataset_summaries
from cytopress.results.recommendation.bounds import bounded_settings
from cytopress.results.recommendation.cautions import (
    cautions,
    floor_cautions,
    training_cautions,
)
from cytopress.results.recommendation.choice import choose
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.evidence import evidence_of
from cytopress.results.recommendation.judge import judge
from cytopress.results.recommendation.margin import margin_of
from cytopress.results.recommendation.setting import JudgedSetting, lossless_setting, with_speed
from cytopress.study.margin_limits import is_share
from cytopress.study.results import Results, ScoreFacts


@dataclass(frozen=True, kw_only=True, eq=False)
class Refusal:
    """Why a dataset has no recommendation for a score."""

    criterion: Criterion
    summary: DatasetSummary
    score: ScoreFacts
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Recommendation:
    """Recommendation for one dataset (one of its channels) and one task score.

    Parameters
    ----------
    criterion : Criterion
        What was asked: task, score, margin and confidence.
    summary : DatasetSummary
        The dataset.
    score : ScoreFacts
        What was judged.
    margin, noise : float, float or None
        The margin, and the spread over noise replicates, both in the score's unit.
    chosen, runner_up, lossless : JudgedSetting or None
        The setting to use (see `choose`), the fewest bytes of another codec that are inside, and
        the best lossless one. ``chosen`` is None where nothing that is smaller than lossless is
        inside.
    faster_than : JudgedSetting or None
        The setting of another codec with slightly fewer bytes, if the chosen one is faster.
    settings : tuple of JudgedSetting
        Every lossy setting, codec by codec, many bytes first.
    original : float
        Mean score from originals.
    seed_spread : float or None
        Standard deviation of that mean over training seeds; None with one seed.
    task_sha256 : str
        Hexadecimal sha256 of the task's weights.
    warnings : tuple of str
        Cautions before acting on it.
    """

    criterion: Criterion
    summary: DatasetSummary
    score: ScoreFacts
    margin: float
    noise: float | None
    chosen: JudgedSetting | None
    runner_up: JudgedSetting | None
    lossless: JudgedSetting | None
    faster_than: JudgedSetting | None
    settings: tuple[JudgedSetting, ...]
    original: float
    seed_spread: float | None
    task_sha256: str
    warnings: tuple[str, ...]

    @property
    def percent_of_original(self) -> bool:
        """Whether percent of the score are of what the originals give, and no share themselves."""
        return not is_share(self.score)

    @property
    def unsafe(self) -> list[JudgedSetting]:
        """The first setting of each codec that is not inside, with the reason."""
        first: dict[Curve, JudgedSetting] = {}
        for setting in self.settings:
            if not setting.safe:
                first.setdefault(setting.curve, setting)
        return list(first.values())


def recommend(results: Results, criterion: Criterion) -> list[Recommendation]:
    """Return the recommendation for every dataset that the task was run on.

    As `recommend_or_refuse`; a dataset that is refused is a warning.
    """
    found, refused = recommend_or_refuse(results, criterion)
    for one in refused:
        text = f"no recommendation for {one.summary.facts.name}: {one.reason}"
        warnings.warn(text, CytopressWarning, stacklevel=2)
    return found


def recommend_or_refuse(
    results: Results, criterion: Criterion
) -> tuple[list[Recommendation], list[Refusal]]:
    """Return the recommendation for each dataset that the task was run on, or why there is none.

    `judge` says how settings are judged. Where no dataset has a recommendation, the first reason
    is an error.

    Raises
    ------
    UnknownNameError
        The study has no such task, or the task no such score.
    UsageError
        The margin is not smaller than the score from originals, or than half of the signal.
    NotAvailableError
        The margin is the camera's noise, and the study has no noise replicates or they do not
        change the score; or the score is such that no codec could make it worse.
    """
    names = list(dict.fromkeys(score.task for score in results.scores if score.task))
    if criterion.task not in names:
        raise UnknownNameError("task of the study", criterion.task, names)
    scores = [score for score in results.scores if score.task == criterion.task]
    score = next(
        (s for s in scores if (s.name == criterion.metric if criterion.metric else s.main)), None
    )
    if score is None:
        raise UnknownNameError(
            f"score of {criterion.task}", criterion.metric, [s.name for s in scores]
        )
    run_on = {task.dataset for task in results.tasks if task.name == criterion.task}
    found: list[Recommendation] = []
    refused: list[tuple[DatasetSummary, CytopressError]] = []
    for summary in dataset_summaries(results):
        if summary.curves and summary.facts.name in run_on:
            try:
                found.append(_recommendation(results, summary, score, criterion))
            except (NotAvailableError, UsageError) as error:
                refused.append((summary, error))
    if refused and not found:
        raise refused[0][1]
    return found, [
        Refusal(
            criterion=criterion,
            summary=summary,
            score=score,
            reason=str(error).removeprefix(f"{summary.facts.name}: "),
        )
        for summary, error in refused
    ]


def _recommendation(
    results: Results, summary: DatasetSummary, score: ScoreFacts, criterion: Criterion
) -> Recommendation:
    evidence = evidence_of(results, summary, score)
    margin = margin_of(criterion, score, evidence)
    bounded = bounded_settings(
        summary.lossy, score, confidence=criterion.confidence, without=evidence.at_floor
    )
    settings = judge(bounded, margin=margin)
    settings = [with_speed(setting, results.speeds) for setting in settings]
    best = summary.best_lossless
    lossless = None if best is None else with_speed(lossless_setting(*best), results.speeds)
    safe = sorted((s for s in settings if s.safe), key=lambda setting: -setting.ratio)
    least = lossless.ratio if lossless else 1.0
    safe = [setting for setting in safe if setting.ratio > least]
    chosen = choose(safe)
    fewest = safe[0] if safe else None
    faster_than = fewest if chosen and fewest and fewest.curve is not chosen.curve else None
    others = [setting for setting in safe if chosen and setting.curve is not chosen.curve]
    runner_up = others[0] if others else None
    return Recommendation(
        criterion=criterion,
        summary=summary,
        score=score,
        margin=margin,
        noise=evidence.noise,
        chosen=chosen,
        runner_up=runner_up,
        lossless=lossless,
        faster_than=faster_than,
        settings=tuple(settings),
        original=evidence.original,
        seed_spread=evidence.seed_spread,
        task_sha256=next(
            task.weights
            for task in results.tasks
            if (task.name, task.dataset) == (score.task, summary.facts.name)
        ),
        warnings=(
            *floor_cautions(criterion, score, margin, evidence),
            *cautions(
                results,
                summary,
                score,
                evidence,
                criterion=criterion,
                margin=margin,
                chosen=chosen,
            ),
            *training_cautions(results, [chosen, runner_up, faster_than]),
        ),
    )
