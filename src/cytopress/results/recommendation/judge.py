"""Verdict on each setting at one margin: inside, outside or not shown, and why."""

from __future__ import annotations

from collections.abc import Sequence

from cytopress.figures import count_text
from cytopress.results.recommendation.amounts import above_figures, least_figures
from cytopress.results.recommendation.bounds import BoundedSetting
from cytopress.results.recommendation.more_fields import more_fields
from cytopress.results.recommendation.setting import JudgedSetting, Verdict, spec_of
from cytopress.statistics import LEAST_UNITS


def judge(bounded: Sequence[BoundedSetting], *, margin: float) -> list[JudgedSetting]:
    """Judge settings at a margin, in the score's unit.

    A setting is inside where its bound is at most the margin, and outside where even the lower end
    of its interval is above; both hold at the confidence asked, all codecs together. Anything else
    is not shown.

    Parameters
    ----------
    bounded : sequence of BoundedSetting
        Codec by codec, each from many bytes to few.
    margin : float
        In the score's unit.
    """
    found = []
    walk: list[BoundedSetting] = []
    for one in bounded:
        walk = [*walk, one] if walk and walk[-1].curve is one.curve else [one]
        verdict = verdict_of(one, margin)
        more = more_fields(walk, margin=margin) if verdict == "not shown" else 0
        found.append(
            JudgedSetting(
                curve=one.curve,
                point=one.point,
                spec=spec_of(one.point),
                effect=one.effect,
                bound=one.bound,
                verdict=verdict,
                reason="" if verdict == "inside" else _reason(one, margin, more),
                more_fields=more,
                bounded=one,
            )
        )
    return found


def verdict_of(bounded: BoundedSetting, margin: float) -> Verdict:
    """Return the verdict on one setting."""
    if bounded.bound is not None and bounded.bound <= margin:
        return "inside"
    return "outside" if bounded.low is not None and bounded.low > margin else "not shown"


def more_text(more: int | None, unit: str) -> str:
    """Describe how many more fields would settle a setting; "" where that is not known."""
    if not more:
        return ""
    # Of round numbers, small ones are meant as they are.
    return f"{'about ' if more > LEAST_UNITS else ''}{count_text(more, f'more {unit[:-1]}')}"


def _reason(bounded: BoundedSetting, margin: float, more: int | None) -> str:
    effect, score = bounded.effect, bounded.score
    settles = more_text(more, effect.unit)
    failed = bounded.asked - effect.fields
    if bounded.low is not None and bounded.low > margin:
        least, allowed = least_figures(bounded.low, margin, score)
        return f"it gets worse by at least {least}, and {allowed} is allowed"
    if failed:
        return f"{failed} of {bounded.asked} fields gave no score"
    if effect.n < 2:
        return f"one field has no spread, so nothing is bounded: at least {settles} are needed"
    if effect.n < LEAST_UNITS:
        text = f"{effect.n} {effect.unit} are too few to show it: at least {LEAST_UNITS} are needed"
        enough = more is not None and effect.n + more > LEAST_UNITS
        return f"{text}, by the spread seen {settles}" if enough else text
    if bounded.high is None or bounded.high > margin:
        text = _too_wide(bounded, margin)
        side = "outside" if effect.mean is not None and effect.mean > margin else "inside"
        return f"{text}; {settles} would show it {side}" if settles else text
    return "a setting of this codec with more bytes is not shown to be inside"


def _too_wide(bounded: BoundedSetting, margin: float) -> str:
    """Describe a loss that may be above the margin or below."""
    score, mean, high = bounded.score, bounded.effect.mean, bounded.high
    if high is None:
        return "these fields do not bound the change at this confidence"
    most, allowed = above_figures(high, margin, score)
    if bounded.unchanged and bounded.counted is not None:
        counted = bounded.counted
        few = f"no change in {counted.objects:,} {counted.noun}, but so few allow for"
        return f"{few} up to {most}, and {allowed} is allowed"
    if mean is not None and mean > margin:
        seen = above_figures(mean, margin, score)[0]
        return f"it got worse by {seen} and may by up to {most}, and {allowed} is allowed"
    return f"it may get worse by up to {most}, and {allowed} is allowed"
