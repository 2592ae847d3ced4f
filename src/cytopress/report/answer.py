"""The answer that the page begins with: pictures, a bar for each codec, a dot for each field."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cytopress.errors import NotAvailableError
from cytopress.report.answer_pictures import FieldRow, field_rows
from cytopress.results.curves import Curve
from cytopress.results.dataset_summary import DatasetSummary
from cytopress.results.recommendation.amounts import above_figures, margin_figure
from cytopress.results.recommendation.answers import Answer
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.judge import judge
from cytopress.results.recommendation.margin_range import example_margin, margin_range
from cytopress.results.recommendation.margin_table import MarginTable, as_json, margin_table
from cytopress.results.recommendation.pictured import FieldLoss, field_losses, shown_setting
from cytopress.results.recommendation.plain_words import hero_words, open_text
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.study.margin_limits import is_share
from cytopress.study.results import Results, ScoreFacts

# Dots nearer to each other than this part of the axis are stacked.
DOT = 1.6
# Part of the axis that stays free at either end.
EDGE = 4.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Bar:
    """One codec: how small its files are inside the margin, and were tried at all.

    Lengths are in percent of a scale that is logarithmic in the ratio and begins at 1x.
    ``furthest`` is None where no setting is shown inside, and ``open`` says why.
    """

    curve: Curve
    furthest: JudgedSetting | None
    open: str
    winner: bool
    length: float
    tested: float


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One field: its place along the axis in percent, and how many dots lie below it."""

    one: FieldLoss
    place: float
    level: int
    worst: bool


@dataclass(frozen=True, kw_only=True)
class Dots:
    """Every field at the shown setting; places of the margin and of no change in percent."""

    dots: Sequence[Dot]
    margin: float
    zero: float
    levels: int

    @property
    def worst(self) -> FieldLoss:
        """The worst field."""
        return self.dots[-1].one


@dataclass(frozen=True, kw_only=True, eq=False)
class AnswerView:
    """An answer as the page shows it.

    ``table`` holds what a slider needs, None where the score cannot be judged at any margin.
    ``margin`` is that of the answer, or an example where there is none. ``shown`` is the setting of
    pictures and dots: the chosen one, else the finest that was tried; None without an answer.
    """

    answer: Answer
    score: ScoreFacts
    table: MarginTable | None
    margin: float
    judged: Sequence[JudgedSetting]
    shown: JudgedSetting | None
    rows: Sequence[FieldRow]
    bars: Sequence[Bar]
    dots: Dots | None

    @property
    def margin_text(self) -> str:
        """The margin, with as many digits as the bound beside it."""
        found = self.answer.recommendation
        if found is None or found.chosen is None or found.chosen.bound is None:
            return margin_figure(self.margin, self.score)
        return above_figures(found.chosen.bound, self.margin, self.score)[1]

    def slider(self, results: Results) -> dict[str, Any] | None:
        """Return what the page's script answers from; None where there is nothing to judge."""
        if self.table is None or not self.table.settings:
            return None
        return {
            "margin": self.margin,
            "begin": self.margin_text,
            "share": is_share(self.score),
            "range": margin_range(self.table, self.margin),
            "largest": _largest(self.judged),
            "hero": hero_words(self.table),
            "table": as_json(self.table, results),
        }


def answer_views(
    results: Results, datasets: Sequence[DatasetSummary], answered: Sequence[Answer]
) -> list[AnswerView]:
    """Return the views of answers, in their order.

    Without any, there is a view of each task, from which a reader can choose a margin.
    """
    by_name = {summary.facts.name: summary for summary in datasets}
    return [
        _view(results, by_name[answer.facts.name], answer)
        for answer in answered or _unasked(datasets)
    ]


def _unasked(datasets: Sequence[DatasetSummary]) -> list[Answer]:
    reason = (
        "No margin was given, and this study has no replicates of the camera's noise that one"
        " could be derived from."
    )
    return [
        Answer(
            criterion=Criterion(task=score.task),
            facts=summary.facts,
            recommendation=None,
            reason=reason,
        )
        for summary in datasets
        for score in summary.main_scores
        if score is not None
    ]


def _view(results: Results, summary: DatasetSummary, answer: Answer) -> AnswerView:
    found, wanted = answer.recommendation, answer.criterion
    of_task = [score for score in summary.scores if score.task == wanted.task]
    score = next(s for s in of_task if (s.name == wanted.metric if wanted.metric else s.main))
    table: MarginTable | None = None
    # Where there is none, the answer's reason says why.
    with contextlib.suppress(NotAvailableError):
        table = margin_table(results, summary, score, confidence=wanted.confidence)
    margin = found.margin if found else example_margin(table) if table else 1.0
    judged = judge(table.settings, margin=margin) if table else []
    shown = shown_setting(found) if found else None
    losses = field_losses(shown) if shown else []
    return AnswerView(
        answer=answer,
        score=score,
        table=table,
        margin=margin,
        judged=judged,
        shown=shown,
        rows=field_rows(results, shown, score.task) if shown else (),
        bars=bars(judged, found.chosen if found else None),
        dots=_dots(losses, margin) if losses else None,
    )


def bars(judged: Sequence[JudgedSetting], chosen: JudgedSetting | None) -> list[Bar]:
    """Return a bar for each lossy codec, the smallest files inside the margin first."""
    largest = _largest(judged)

    def length(ratio: float) -> float:
        return 100 * math.log(max(ratio, 1.0)) / math.log(largest)

    made = []
    for curve in dict.fromkeys(setting.curve for setting in judged):
        some = [setting for setting in judged if setting.curve is curve]
        furthest = next((one for one in reversed(some) if one.verdict == "inside"), None)
        made.append(
            Bar(
                curve=curve,
                furthest=furthest,
                open="" if furthest else open_text(some),
                winner=chosen is not None and chosen.curve.label == curve.label,
                length=length(furthest.ratio) if furthest else 0.0,
                tested=length(some[-1].ratio),
            )
        )
    return sorted(made, key=lambda bar: (not bar.winner, -bar.length))


def _largest(judged: Sequence[JudgedSetting]) -> float:
    return max([2.0, *(setting.ratio for setting in judged)])


def _dots(losses: Sequence[FieldLoss], margin: float) -> Dots:
    values = [one.loss for one in losses]
    low, high = min(0.0, *values), max(margin, *values)
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return EDGE + (100 - 2 * EDGE) * (value - low) / span

    dots: list[Dot] = []
    for one in losses:
        at = place(one.loss)
        # A tower per width of a dot; dots come from left to right.
        level = sum(1 for dot in dots if at - dot.place < DOT)
        dots.append(Dot(one=one, place=at, level=level, worst=one is losses[-1]))
    levels = 1 + max(dot.level for dot in dots)
    return Dots(dots=dots, margin=place(margin), zero=place(0.0), levels=levels)
