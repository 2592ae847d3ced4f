"""How many more fields would show a setting to be inside or outside, from the spread seen."""

from __future__ import annotations

from collections.abc import Sequence

from cytopress.results.recommendation.bounds import BoundedSetting
from cytopress.statistics import LEAST_UNITS
from cytopress.statistics.sample_size import Step, steps


def more_fields(walk: Sequence[BoundedSetting], *, margin: float) -> int | None:
    """Return how many more units would settle the last setting of a walk, a round number.

    The mean is taken to stay where it is, and the interval to shrink around it (see `steps`); of a
    count, there are as many objects in each field. A setting whose mean is inside the margin needs
    every setting before it to be shown inside too; one whose mean is outside needs itself alone.

    Parameters
    ----------
    walk : sequence of BoundedSetting
        The settings of one codec, from the one with the most bytes to the one in question.
    margin : float
        In the unit of the losses.

    Returns
    -------
    int or None
        0 where nothing is open; None where more units of this kind do not settle it: fields without
        a score, a setting before it whose mean is outside, a mean at the margin, or more units than
        the last step.
    """
    last = walk[-1]
    if last.effect.mean is None:
        return None
    if last.effect.n < 2:
        return LEAST_UNITS - last.effect.n
    if last.effect.mean > margin:
        return _needed(last, margin)
    if any(one.effect.mean is None or one.effect.mean > margin for one in walk):
        return None
    needed = [_needed(one, margin) for one in walk]
    known = [number for number in needed if number is not None]
    return max(known) if len(known) == len(needed) else None


def _needed(one: BoundedSetting, margin: float) -> int | None:
    """Return how many more units part the interval of one setting from the margin; 0 for none."""
    mean, below, above = one.effect.mean, one.below, one.above
    if mean is None or below is None or above is None:
        return None
    tried: tuple[Step, ...] = steps(one.effect.n, level=one.level)
    for step in tried:
        if mean > margin:
            shown = mean - step.width(below, one.effect.seed_share) > margin
        else:
            high = mean + step.width(above, one.effect.seed_share)
            floor = one.counted.floor(one.level, step.times) if one.counted else high
            shown = max(high, floor) <= margin
        if shown:
            return step.more
    return None
