"""Sample size: how many more units would show a mean to be on one side of a margin."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from cytopress.statistics.units import LEAST_UNITS

# Larger numbers of units are not told apart.
MOST = 1_000
ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


@dataclass(frozen=True)
class Step:
    """A round number of more units, and what it does to an interval.

    Parameters
    ----------
    more : int
        Number of units added.
    times : float
        How many times as many units there are then.
    quantile : float
        Student's quantile, as a share of that with the units at hand.
    """

    more: int
    times: float
    quantile: float

    def width(self, width: float, seed_share: float) -> float:
        """Return the half width of an interval that is ``width`` with the units at hand."""
        return width * self.quantile * math.sqrt(seed_share + (1 - seed_share) / self.times)


@functools.lru_cache(maxsize=64)
def steps(units: int, *, level: float) -> tuple[Step, ...]:
    """Return round numbers of more units, from 0 or what makes `LEAST_UNITS` of them to `MOST`.

    A half width shrinks as Student's quantile over the root of the number of units; the part of
    the variance that is between training seeds stays.

    Parameters
    ----------
    units : int
        Units at hand; of a single one nothing is known, so there are no steps.
    level : float
        Of the two-sided interval.
    """
    if units < 2:
        return ()
    numbers = {int(base * 10**power) for power in range(4) for base in ROUND}
    least = max(0, LEAST_UNITS - units)
    return tuple(
        Step(
            more,
            (units + more) / units,
            quantile(units + more, level) / quantile(units, level),
        )
        for more in sorted({least, *numbers})
        if least <= more <= MOST
    )


def quantile(units: int, level: float) -> float:
    """Return Student's quantile for a two-sided interval over at least two units."""
    from scipy.special import stdtrit

    return float(-stdtrit(units - 1, level / 2))


def no_event_bound(trials: float, level: float) -> float:
    """Return the exact binomial bound on a share of which no case was seen.

    One-sided; at a level of 5 % it is close to the rule of three, 3 / ``trials``.
    """
    return float(1 - level ** (1 / trials)) if trials else 1.0
