"""Setting search: the value of a quality parameter at which sampled chunks are as asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from cytopress.codecs.traits import QualityParameter

# Positions that differ by less are one setting: a hundredth of an octave of most parameters.
NEAR = 0.002
# The first step from where a search begins; it doubles until the answer is enclosed.
STEP = 0.1
MOST_TRIES = 16
# A miss or a surplus that says no more than its sign, in logarithms.
FAR = 3.0


@dataclass
class Search:
    """Search for a position of a quality parameter, from 0 (coarsest) to 1 (finest).

    Parameters
    ----------
    parameter : QualityParameter
        What is varied.
    surplus : callable
        Takes a value of the parameter, and returns how much better the chunks are than asked:
        below 0 where they are worse. It grows from coarse to fine.
    close : float
        A surplus so near to 0 is close enough.
    from_below : bool
        Whether the finest setting without a surplus is wanted, as for bytes, and not the coarsest
        without a lack.
    """

    parameter: QualityParameter
    surplus: Callable[[float], float]
    close: float
    from_below: bool = False
    _tried: dict[float, float] = field(default_factory=dict)

    def run(self, start: float) -> float | None:
        """Return the position; None where no setting is as asked."""
        low, high = self._enclose(start)
        if low is not None and high is not None:
            for _ in range(MOST_TRIES):
                reached = -self._at(low) if self.from_below else self._at(high)
                place = self._between(low, high)
                if reached <= self.close or place is None:
                    break
                if self._at(place) >= 0:
                    high = place
                else:
                    low = place
        return low if self.from_below else high

    def _enclose(self, start: float) -> tuple[float | None, float | None]:
        """Return a position that is worse than asked and one that is not, as far as there are."""
        low: float | None = None
        high: float | None = None
        place, step = start, STEP
        while True:
            if self._at(place) >= 0:
                high = place
                if low is not None or place == 0:
                    return low, high
                place = max(0.0, place - step)
            else:
                low = place
                if high is not None or place == 1:
                    return low, high
                place = min(1.0, place + step)
            step *= 2

    def _between(self, low: float, high: float) -> float | None:
        """Return where a line through both ends reaches what was asked; None if they are one."""
        values = [self.parameter.value_at(place) for place in (low, high)]
        below, above = self._at(low), self._at(high)
        share = -below / (above - below) if above > below else 0.5
        # Half of what counts as close lies above.
        share = min(max(share, 0.08), 0.92)
        place = low + share * (high - low)
        if high - low < NEAR or self.parameter.value_at(place) in values:
            middle = (low + high) / 2
            place = middle
            if high - low < NEAR or self.parameter.value_at(middle) in values:
                return None
        return place

    def _at(self, place: float) -> float:
        value = self.parameter.value_at(place)
        if value not in self._tried:
            found = self.surplus(value)
            self._tried[value] = -FAR if math.isnan(found) else min(max(found, -FAR), FAR)
        return self._tried[value]
