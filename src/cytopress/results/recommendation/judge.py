"""Verdict on each setting at one margin: inside, outside or not shown, and why."""

from __future__ import annotations

from collections.abc import Sequence

from cytopress.results.recommendation.bounds import BoundedSetting
from cytopress.results.recommendation.setting import JudgedSetting, Verdict, spec_of
from cytopress.statistics import LEAST_UNITS


def judge(bounded: Sequence[BoundedSetting], *, margin: float) -> list[JudgedSetting]:
    """Judge settings at a margin, in the score's unit.

    A setting is inside where its bound is at most the margin, and outside where even the lower end
    of its interval is above; both hold at the confidence asked, all codecs together. Anything else
    is not shown.
    """
    return [
        JudgedSetting(
            curve=one.curve,
            point=one.point,
            spec=spec_of(one.point),
            effect=one.effect,
            bound=one.bound,
            verdict=verdict_of(one, margin),
            reason=_reason(one, margin),
        )
        for one in bounded
    ]


def verdict_of(bounded: BoundedSetting, margin: float) -> Verdict:
    """Return the verdict on one setting."""
    if bounded.bound is not None and bounded.bound <= margin:
        return "inside"
    return "outside" if bounded.low is not None and bounded.low > margin else "not shown"


def _reason(bounded: BoundedSetting, margin: float) -> str:
    effect, high = bounded.effect, bounded.high
    failed = bounded.asked - effect.fields
    if verdict_of(bounded, margin) == "inside":
        return ""
    if failed:
        return f"{failed} of {bounded.asked} fields gave no score"
    if effect.n < 2:
        return "one field has no spread, so nothing bounds the loss"
    if effect.n < LEAST_UNITS:
        return f"{effect.n} {effect.unit} are too few to show it: at least {LEAST_UNITS} are needed"
    if high is None or high > margin:
        most = "any amount" if high is None else f"up to {high:.3g}"
        return f"{most} may be lost, and {margin:.3g} is allowed"
    return "a setting of this codec with more bytes was not shown to be safe"
