"""Change of a task score: paired differences over fields, with their interval."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.results.curves import Point
from cytopress.statistics import Interval, effects
from cytopress.study.results import ScoreFacts

# Seed of the bootstrap; fixed, so that a report can be reproduced.
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Change:
    """A task score from originals and from decoded images, over the same fields.

    ``interval`` is of the mean paired difference, decoded minus original, ``decoded_interval`` of
    the score from decoded images; both are None for a single field. Neither is a verdict: that is
    about a margin (`cytopress.results.verdicts`).
    """

    original: float
    decoded: float
    difference: float
    interval: Interval | None
    decoded_interval: Interval | None
    fields: int


def change(point: Point, score: ScoreFacts) -> Change | None:
    """Return the change of a task score by one setting; None where no trial has the score.

    Training seeds are a level of their own in the bootstrap. A field without the score of every
    seed is left out.
    """
    original = _by_field(point, f"{score.column}/baseline")
    decoded = _by_field(point, f"{score.column}/harm")
    seeds = sorted({seed for values in decoded.values() for seed in values})
    both = [
        field
        for field, values in decoded.items()
        if all(seed in values and seed in original.get(field, {}) for seed in seeds)
    ]
    if not both:
        return None
    group_of = {trial.field: trial.group for trial in point.trials}
    groups = tuple(group_of[field] for field in both)
    before = [[original[field][seed] for seed in seeds] for field in both]
    after = [[decoded[field][seed] for seed in seeds] for field in both]
    differences = [
        [b - a for a, b in zip(*pair, strict=True)] for pair in zip(before, after, strict=True)
    ]
    interval = _interval_of(differences, groups)
    return Change(
        original=_mean(before),
        decoded=_mean(after),
        difference=_mean(differences),
        interval=interval,
        decoded_interval=_interval_of(after, groups),
        fields=len(both),
    )


def _by_field(point: Point, column: str) -> dict[str, dict[int, float]]:
    """Return a score by field and seed, where it is finite."""
    values: dict[str, dict[int, float]] = defaultdict(dict)
    for trial in point.trials:
        if math.isfinite(trial.scores.get(column, math.nan)):
            values[trial.field][trial.seed] = trial.scores[column]
    return values


def _interval_of(values: Sequence[Sequence[float]], groups: tuple[str, ...]) -> Interval | None:
    """Return the 95 % interval of a mean over fields; None for one field, which has no spread."""
    return _interval(tuple(map(tuple, values)), groups) if len(values) > 1 else None


# Cached: the page, the terminal and the recommendation need the same intervals.
@functools.lru_cache(maxsize=10_000)
def _interval(values: tuple[tuple[float, ...], ...], groups: tuple[str, ...]) -> Interval:
    (found,) = effects([[[value] for value in field] for field in values], groups, seed=SEED)
    return Interval(_mean(values), found.low, found.high, found.unit, found.n)


def ends(interval: Interval | None) -> tuple[float, float] | None:
    """Return both ends of an interval; None where there are none."""
    if interval is None or interval.low is None or interval.high is None:
        return None
    return interval.low, interval.high


def _mean(values: Sequence[Sequence[float]]) -> float:
    """Mean over fields of the means over seeds."""
    return math.fsum(math.fsum(field) / len(field) for field in values) / len(values)
