"""Dataset summary: curves, and a row per setting for each task score, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cytopress.results.change import Change, change
from cytopress.results.curves import Curve, Point, best_lossless, curves, measured
from cytopress.study.results import DatasetFacts, Results, ScoreFacts


@dataclass(frozen=True, kw_only=True, eq=False)
class SettingRow:
    """One setting of one codec on one dataset, with the change of one task score (or of none)."""

    curve: Curve
    point: Point
    score: ScoreFacts | None
    change: Change | None


@dataclass(frozen=True, kw_only=True, eq=False)
class DatasetSummary:
    """Curves and rows of one dataset of a study.

    ``rows`` maps the column of each task score to one row per setting: codecs in the order of the
    study, each from many bytes to few. The key "" holds the rows without a task.
    """

    facts: DatasetFacts
    curves: Sequence[Curve]
    best_lossless: tuple[Curve, Point] | None
    scores: Sequence[ScoreFacts]
    rows: Mapping[str, Sequence[SettingRow]]

    @property
    def lossy(self) -> list[Curve]:
        """The lossy curves."""
        return [curve for curve in self.curves if not curve.lossless]

    @property
    def main_scores(self) -> list[ScoreFacts | None]:
        """The deciding score of each task; one None where there is no task."""
        return [score for score in self.scores if score.main] or [None]

    def rows_of(self, score: ScoreFacts | None) -> Sequence[SettingRow]:
        """Return the rows of a score, or those without a task."""
        return self.rows[score.column if score else ""]


def dataset_summaries(results: Results) -> list[DatasetSummary]:
    """Return the summary of every dataset, in the order of the study."""
    return [_dataset_summary(results, facts) for facts in results.datasets]


def _dataset_summary(results: Results, facts: DatasetFacts) -> DatasetSummary:
    found = curves(results, facts.name)
    trials = measured(results, facts.name)
    columns = {column for trial in trials for column in trial.scores}
    run = {task.name for task in results.tasks if task.dataset == facts.name}
    # A task that failed on every field has no score, but was run.
    scores = [
        s for s in results.scores if s.task and (s.task in run or f"{s.column}/harm" in columns)
    ]
    return DatasetSummary(
        facts=facts,
        curves=found,
        best_lossless=best_lossless(found),
        scores=scores,
        rows={"": _rows(found, None)} | {s.column: _rows(found, s) for s in scores},
    )


def _rows(found: Sequence[Curve], score: ScoreFacts | None) -> list[SettingRow]:
    return [
        SettingRow(
            curve=curve,
            point=point,
            score=score,
            change=change(point, score) if score is not None else None,
        )
        for curve in found
        for point in curve.points
    ]
