"""How many more fields would show a setting to be inside or outside, from the spread seen."""

from __future__ import annotations

from collections.abc import Sequence

from cytopress.results.recommendation.bounds import BoundedSetting
from cytopress.statistics import LEAST_UNITS
from cytopress.statistics.sample_size import Step


def more_fields(
    walk: Sequence[BoundedSetting], steps: Sequence[Step], *, margin: float
) -> int | None:
    """Return how many more units would settle the last setting of a walk, a round number.

    The mean is taken to stay where it is, and the interval to shrink around it (see `steps`). A
    setting whose mean is inside the margin needs every setting before it to be shown inside too;
    one whose mean is outside needs itself alone.

    Parameters
    ----------
    walk : sequence of BoundedSetting
        The settings of one codec, from the one with the most bytes to the one in question.
    steps : sequence of Step
        Numbers of units to try, in ascending order.
    margin : float
        In the unit of the losses.

    Returns
    -------
    int or None
        None where more units of this kind do not settle it: fields without a score, a setting
        before it whose mean is outside, a mean at the margin, or more units than the last step.
    """
    last = walk[-1]
    if last.effect.n < 2:
        return LEAST_UNITS - last.effect.n
    if last.effect.mean is not None and last.effect.mean > margin:
        return _needed(last, steps, margin)
    needed = [_needed(one, steps, margin) for one in walk]
    if any(one.effect.mean is None or one.effect.mean > margin for one in walk):
        return None
    known = [number for number in needed if number is not None]
    return max(known) if len(known) == len(needed) else None


def _needed(one: BoundedSetting, steps: Sequence[Step], margin: float) -> int | None:
    """Return how many more units part the interval of one setting from the margin; 0 for none."""
    mean = one.effect.mean
    if mean is None or one.below is None or one.above is None:
        return None
    gap, width = (mean - margin, one.below) if mean > margin else (margin - mean, one.above)
    if one.effect.n >= LEAST_UNITS and width <= gap:
        return 0
    return next((s.more for s in steps if s.width(width, one.effect.seed_share) <= gap), None)
