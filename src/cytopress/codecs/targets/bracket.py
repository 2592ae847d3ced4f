"""Root finding on a bracket: where a margin that grows with the position becomes positive."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

# So often in a row the secant may lead to the same side; then the bracket is halved.
MOST_SAME = 3
# A position never comes nearer to an end of the bracket than this share of it: margins are noisy.
INSET = 0.02
# An end that has not been tried is tried itself once the next position is so near.
NEAR_END = 1 / 16
LEAST_STEP = 1e-3
# A slope is measured over at least this span, and changes by at most this factor at a time.
LEAST_SPAN, MOST_CHANGE = 0.003, 2.0


@dataclass
class Bracket:
    """Span of positions between the last that misses a target and the first that meets it.

    Parameters
    ----------
    hard, easy : float
        Its ends; at ``hard`` the target is harder to meet.
    at_hard, at_easy : float, optional
        Margins there: below 0 where the target is missed. None: not measured yet.
    slope : float
        Growth of the margin with the position, near the root; 0: not known.
    aim : float
        The margin wanted.
    easy_repeats, hard_repeats : int
        How many more positions gave the very margin of an end.
    """

    hard: float = 0.0
    easy: float = 1.0
    at_hard: float | None = None
    at_easy: float | None = None
    slope: float = 0.0
    aim: float = 0.0
    easy_repeats: int = 0
    hard_repeats: int = 0
    _same: int = field(default=0, repr=False)
    _side: str = field(default="", repr=False)
    _last: tuple[float, float] | None = field(default=None, repr=False)

    @property
    def closed(self) -> bool:
        """Whether both ends were measured."""
        return self.at_hard is not None and self.at_easy is not None

    @property
    def empty(self) -> bool:
        """Whether an end of the range was measured and decides it: nothing is left between."""
        return self.easy == self.hard

    @property
    def root(self) -> float:
        """The position where the target is met, by the last margin."""
        if self._last is None:
            return (self.hard + self.easy) / 2
        position, margin = self._last
        if self.slope > 0 and math.isfinite(margin):
            position -= margin / self.slope
        return min(max(position, self.hard), self.easy)

    def put(self, position: float, margin: float) -> None:
        """Take the margin at a position within."""
        repeated = margin in (self.at_hard, self.at_easy) and math.isfinite(margin)
        self._learn(position, margin)
        side = "easy" if margin >= 0 else "hard"
        self._same = self._same + 1 if side == self._side else 1
        self._side = side
        if repeated and self.hard_repeats:
            # A codec whose steps are wide: the secant would stay on this one.
            self._same = MOST_SAME
        if side == "easy":
            self.easy, self.at_easy = position, margin
            self.easy_repeats = self.easy_repeats + 1 if repeated else 0
        else:
            self.hard, self.at_hard = position, margin
            self.hard_repeats = self.hard_repeats + 1 if repeated else 0

    def next(self) -> float:
        """Return the position to try next."""
        if self.closed:
            return self._between()
        if self._last is None:
            return (self.hard + self.easy) / 2
        return self._beyond(*self._last)

    def _between(self) -> float:
        """Return a position by the secant; the middle where that does not get on."""
        assert self.at_hard is not None
        assert self.at_easy is not None
        missing, spare, share = self.aim - self.at_hard, self.at_easy - self.aim, 0.5
        if spare > 0 and math.isfinite(missing + spare) and self._same < MOST_SAME:
            share = min(max(missing / (missing + spare), INSET), 1 - INSET)
        return self.hard + share * (self.easy - self.hard)

    def _beyond(self, position: float, margin: float) -> float:
        """Return a position towards the end that has not been measured, or that end."""
        end = self.hard if margin >= 0 else self.easy
        step, near = (end - position) / 2, NEAR_END
        if self.slope > 0 and math.isfinite(margin):
            step, near = (self.aim - margin) / self.slope, LEAST_STEP
        step = math.copysign(max(abs(step), LEAST_STEP), end - position)
        return end if abs(end - position) - abs(step) < near else position + step

    def _learn(self, position: float, margin: float) -> None:
        """Take the slope from the last position to this one, if noise cannot have made it."""
        if self._last is not None and abs(position - self._last[0]) >= LEAST_SPAN:
            slope = (margin - self._last[1]) / (position - self._last[0])
            if self.slope > 0:
                slope = min(max(slope, self.slope / MOST_CHANGE), self.slope * MOST_CHANGE)
            if math.isfinite(slope) and slope > 0:
                self.slope = slope
        if math.isfinite(margin) or self._last is None:
            self._last = position, margin
