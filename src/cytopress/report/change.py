"""What a codec did to a task: paired differences, their interval, and a word for it."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cytopress.report.curves import Point
from cytopress.study.results import ScoreFacts
from cytopress.study.statistics import Interval, bootstrap_mean

# The draws of the bootstrap; fixed, so that a report made again says the same.
SEED = 0
# Fewer units do not show how skewed they are, and an interval of 95 % may cover less: no verdict
# is built on it.
LEAST_UNITS = 5

Word = Literal["no loss seen", "loss", "better", "not shown", "lossless"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A task score from originals and from decoded images, over the same fields.

    ``interval`` is of the mean paired difference, decoded minus original, ``harm_interval`` of the
    score from decoded images; both None where there is but one field. ``verdict`` is descriptive:
    it claims no equivalence, and is "not shown" where a field is missing or units are too few.
    """

    baseline: float
    harm: float
    difference: float
    interval: Interval | None
    harm_interval: Interval | None
    fields: int
    verdict: Word


def change(point: Point, score: ScoreFacts) -> Change | None:
    """Return what a setting did to a task's score; None where no trial has it."""
    baseline = field_means(point, f"{score.column}/baseline")
    harm = field_means(point, f"{score.column}/harm")
    both = [field for field in harm if field in baseline]
    if not both:
        return None
    group_of = {trial.field: trial.group for trial in point.trials}
    groups = [group_of[field] for field in both]
    differences = [harm[field] - baseline[field] for field in both]
    interval = interval_of(differences, groups)
    return Change(
        baseline=_mean([baseline[field] for field in both]),
        harm=_mean([harm[field] for field in both]),
        difference=_mean(differences),
        interval=interval,
        harm_interval=interval_of([harm[field] for field in both], groups),
        fields=len(both),
        verdict=_verdict(point, interval, len(both), better=score.better),
    )


def field_means(point: Point, column: str) -> dict[str, float]:
    """Return a score of each field that has it; several seeds of one field count as one."""
    values: dict[str, list[float]] = defaultdict(list)
    for trial in point.trials:
        if math.isfinite(trial.scores.get(column, math.nan)):
            values[trial.field].append(trial.scores[column])
    return {field: _mean(some) for field, some in values.items()}


def interval_of(values: Sequence[float], groups: Sequence[str]) -> Interval | None:
    """Return the 95 % interval of a mean over fields; None for one field, which has no spread."""
    return _interval(tuple(values), tuple(groups)) if len(values) > 1 else None


# The page and the terminal ask for the same intervals.
@functools.lru_cache(maxsize=10_000)
def _interval(values: tuple[float, ...], groups: tuple[str, ...]) -> Interval:
    return bootstrap_mean(values, groups, seed=SEED)


def ends(interval: Interval | None) -> tuple[float, float] | None:
    """Return both ends of an interval, if it has any."""
    if interval is None or interval.low is None or interval.high is None:
        return None
    return interval.low, interval.high


def _verdict(point: Point, interval: Interval | None, fields: int, *, better: str) -> Word:
    if point.lossless:
        return "lossless"
    span = ends(interval)
    if interval is None or span is None or interval.n < LEAST_UNITS or fields < point.fields_asked:
        return "not shown"
    worse, gain = span[1] < 0, span[0] > 0
    if better == "lower":
        worse, gain = gain, worse
    return "loss" if worse else "better" if gain else "no loss seen"


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
