"""Which settings are shown to be safe, all codecs of one recommendation together."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

import numpy as np

from cytopress.results.curves import Curve, Point
from cytopress.results.losses import losses_of
from cytopress.results.recommendation.setting import JudgedSetting, spec_of
from cytopress.statistics import LEAST_UNITS, Effect, effects, fixed_sequence_tests
from cytopress.study.results import ScoreFacts

# Of the bootstrap replicates; fixed, so that a recommendation made again is the same.
SEED = 0


def judge(
    curves: Sequence[Curve],
    score: ScoreFacts,
    *,
    margin: float,
    confidence: float,
    without: Collection[str] = (),
) -> list[JudgedSetting]:
    """Judge every setting of lossy codecs, on all fields but those ``without``.

    The settings of a codec, from many bytes to few, are tested up to the first that is not shown
    to stay inside the margin, at one error rate over all codecs (see `fixed_sequence_tests`).
    """
    if not curves:
        return []
    points = [point for curve in curves for point in curve.points]
    losses = losses_of(points, score, without=without)

    def at(level: float) -> list[Effect]:
        return effects(losses.values, losses.groups, margin=margin, confidence=1 - level, seed=SEED)

    found = at(1 - confidence)
    starts = np.cumsum([0, *(len(curve.points) for curve in curves)])
    p_values = [
        [
            effect.p if _whole(effect, point, len(without)) else None
            for effect, point in zip(found[start:end], curve.points, strict=True)
        ]
        for curve, (start, end) in zip(curves, itertools.pairwise(starts), strict=True)
    ]
    tested = fixed_sequence_tests(p_values, alpha=1 - confidence)
    bounds = {alpha: [e.bound for e in at(alpha)] for alpha in {one.alpha for one in tested}}
    settings = []
    for curve, start, sequence in zip(curves, starts[:-1], tested, strict=True):
        for place, point in enumerate(curve.points):
            effect, bound = found[start + place], bounds[sequence.alpha][start + place]
            safe = place < sequence.rejected
            settings.append(
                JudgedSetting(
                    curve=curve,
                    point=point,
                    spec=spec_of(point),
                    effect=effect,
                    bound=bound,
                    safe=safe,
                    reason="" if safe else _reason(effect, point, bound, margin, len(without)),
                )
            )
    return settings


def _whole(effect: Effect, point: Point, without: int) -> bool:
    """Whether every field that the study asked for has a score, but for those left out."""
    return point.complete and effect.missing == 0 and effect.fields == point.fields_asked - without


def _reason(effect: Effect, point: Point, bound: float | None, margin: float, without: int) -> str:
    asked = point.fields_asked - without
    failed = asked - effect.fields
    if failed:
        return f"{failed} of {asked} fields gave no score"
    if bound is None:
        return "one field has no spread, so nothing bounds the loss"
    if effect.n < LEAST_UNITS:
        return f"{effect.n} {effect.unit} are too few to show it: at least {LEAST_UNITS} are needed"
    if bound >= margin:
        return f"up to {bound:.3g} may be lost, and {margin:.3g} is allowed"
    return "a setting of this codec with more bytes was not shown to be safe"
