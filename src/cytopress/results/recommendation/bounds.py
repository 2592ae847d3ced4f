"""Bounds of settings: losses by field and the smallest margin that holds each, for any margin."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cytopress.results.counted import Counted, counted
from cytopress.results.curves import Curve, Point
from cytopress.results.losses import Losses, losses_of
from cytopress.statistics import LEAST_UNITS, Effect, effects, smallest_margins
from cytopress.statistics.sample_size import quantile
from cytopress.study.results import ScoreFacts

# Of the bootstrap replicates; fixed, so that a recommendation made again is the same.
SEED = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class BoundedSetting:
    """One setting of a lossy codec with what a study shows of its loss, for any margin.

    Parameters
    ----------
    curve, point : Curve, Point
        The codec and its setting.
    losses : mapping
        The loss of each field that has a score, mean over training seeds.
    effect : Effect
        The mean loss, with its interval at the confidence asked.
    asked : int
        Number of fields that a whole result has.
    low, high : float or None
        Ends of the interval at the level of the first test, which all codecs share; None where no
        claim can be made: a field has no score, or units are too few.
    bound : float or None
        The smallest margin that the setting is shown to be inside; None where there is none. It is
        inside every margin from there on, and no smaller one.
    below, above : float or None
        How far that interval reaches from the mean, also where units are too few for a claim; None
        for one unit, or where a field has no score.
    score : ScoreFacts
        What was scored.
    level : float
        The level of the first test: that of all claims over the number of codecs.
    counted : Counted or None
        The objects behind a score that is a count; bounds are no less than they allow.
    """

    curve: Curve
    point: Point
    losses: Mapping[str, float]
    effect: Effect
    asked: int
    low: float | None
    high: float | None
    bound: float | None
    below: float | None
    above: float | None
    score: ScoreFacts
    level: float
    counted: Counted | None

    @property
    def unchanged(self) -> bool:
        """Whether no field that has a score changed."""
        return bool(self.losses) and not any(self.losses.values()) and self.effect.mean == 0

    @property
    def worst_field(self) -> str | None:
        """The field with the largest loss; None where no field has a score."""
        return max(self.losses, key=lambda field: self.losses[field], default=None)


def bounded_settings(
    curves: Sequence[Curve],
    score: ScoreFacts,
    *,
    confidence: float,
    without: Collection[str] = (),
) -> list[BoundedSetting]:
    """Bound the loss of every setting of lossy codecs, on all fields but those ``without``.

    The settings of a codec, from many bytes to few, are tested up to the first that is not shown
    to stay inside a margin, at one error rate over all codecs (see `smallest_margins`).
    """
    points = [point for curve in curves for point in curve.points]
    losses = losses_of(points, score, without=without)
    if not losses.seeds or not losses.fields:
        return []
    found = effects(
        losses.values, losses.groups, confidence=confidence, shared_by=len(curves), seed=SEED
    )
    objects = counted((t for point in points for t in point.trials), score, without=without)
    levels = [(1 - confidence) / number for number in range(1, len(curves) + 1)]
    asked = [point.fields_asked - len(without) for point in points]
    whole = [
        point.complete and effect.missing == 0 and effect.fields == fields
        for point, effect, fields in zip(points, found, asked, strict=True)
    ]
    ends = [
        _ends(effect, levels, objects) if every else ((-math.inf, math.inf),) * len(curves)
        for effect, every in zip(found, whole, strict=True)
    ]
    margins = _margins(curves, ends)
    owners = [curve for curve in curves for _ in curve.points]
    reach = [
        _reach(effect, levels[-1]) if every else (None, None)
        for effect, every in zip(found, whole, strict=True)
    ]
    return [
        BoundedSetting(
            curve=owners[number],
            point=points[number],
            losses=_by_field(losses, number),
            effect=effect,
            asked=asked[number],
            low=_finite(ends[number][-1][0]),
            high=_finite(ends[number][-1][1]),
            bound=_finite(margins[number]),
            below=reach[number][0],
            above=reach[number][1],
            score=score,
            level=levels[-1],
            counted=objects,
        )
        for number, effect in enumerate(found)
    ]


def _margins(
    curves: Sequence[Curve], ends: Sequence[tuple[tuple[float, float], ...]]
) -> list[float]:
    """Return the smallest margin of each setting, all codecs together."""
    left = iter(ends)
    walks = [
        [[high for _, high in one] for one in itertools.islice(left, len(curve.points))]
        for curve in curves
    ]
    return list(itertools.chain.from_iterable(smallest_margins(walks)))


def _ends(
    effect: Effect, levels: Sequence[float], objects: Counted | None
) -> tuple[tuple[float, float], ...]:
    """Return the intervals at each shared level; without ends where units are too few."""
    if not effect.shared:
        return ((-math.inf, math.inf),) * len(levels)
    floors = [objects.floor(level) if objects else -math.inf for level in levels]
    return tuple(
        (low, max(high, floor)) for (low, high), floor in zip(effect.shared, floors, strict=True)
    )


def _reach(effect: Effect, level: float) -> tuple[float | None, float | None]:
    """Return how far the interval of the first test reaches below and above the mean.

    Of few units it is Student's, since their skewness is not known.
    """
    mean = effect.mean
    if mean is None or effect.error is None:
        return None, None
    if effect.n >= LEAST_UNITS:
        low, high = effect.shared[-1]
        return _finite(mean - low), _finite(high - mean)
    width = quantile(effect.n, level) * effect.error
    return width, width


def _by_field(losses: Losses, setting: int) -> dict[str, float]:
    means = losses.values[:, :, setting].mean(axis=1).tolist()
    return {
        field: mean
        for field, mean in zip(losses.fields, means, strict=True)
        if not math.isnan(mean)
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
