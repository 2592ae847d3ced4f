"""Choice of a variant: structured noise apart or not, full resolution or a lower one.

What a codec expects of its settings tells which variants may be best. One real encode of each of
those corrects the expectation; only the best one is searched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from cytopress.codecs.expectation import Expectation
from cytopress.codecs.targets.encodes import Encodes, Solution
from cytopress.codecs.targets.initial_guess import InitialGuess
from cytopress.codecs.targets.problem import SearchProblem
from cytopress.codecs.targets.search import solve
from cytopress.codecs.targets.tries import Tries

# A lower resolution is coded where it is expected to take this much more at most, in logarithms of
# bytes and of the mean square error: on validation images it never was the best one beyond.
NEAR_SIZE, NEAR_ERROR = 0.6, 0.3
# Nor where it loses so many times the error that is wanted.
LOST = 2.0
# Structured noise is expected not to pay where it saves less than the first, and to pay where it
# saves more than the second; between them both are coded.
LEAST_SAVED, SURELY_SAVED = 0.004, 0.05


@dataclass(frozen=True, eq=False)
class Variant:
    """One search problem, and what is expected of it.

    Parameters
    ----------
    problem : SearchProblem
        The target, and the settings.
    expected : Expectation
        Of the settings.
    guess : InitialGuess
        Where its search begins.
    """

    problem: SearchProblem
    expected: Expectation
    guess: InitialGuess

    @classmethod
    def of(cls, problem: SearchProblem, encodes: Encodes) -> Variant | None:
        """Return that of a problem; None where its codec expects nothing."""
        expected = encodes.expected(problem.codec_at(problem.parameter.finest))
        if expected is None:
            return None
        return cls(problem, expected, InitialGuess.of(expected, problem.target, encodes.image))

    @property
    def by_ratio(self) -> bool:
        """Whether bytes are given, so that errors are compared."""
        return self.problem.target.kind == "ratio"

    def expects(self, abscissa: float) -> tuple[float, float]:
        """Return the logarithms of bytes and mean square error at an abscissa."""
        share = self.guess.share(abscissa)
        return self.expected.at(1 - share if self.by_ratio else share)

    @property
    def reachable(self) -> bool:
        """Whether a setting is expected to meet the target."""
        return self.guess.abscissa < 1

    @property
    def cost(self) -> float:
        """Expected logarithm of what is compared, at the target."""
        return self.expects(self.guess.abscissa)[self.by_ratio] if self.reachable else math.inf

    def coded_cost(self, encodes: Encodes) -> float:
        """Return `cost`, corrected by coding one setting; infinite where none meets the target."""
        attempt = Tries(self.problem, encodes, self.guess).first()
        margin = self.problem.target.margin(attempt.reached)
        abscissa = self.guess.abscissa - margin / self.guess.slope
        if abscissa > 1:
            return math.inf
        cost = encodes.squared_error(attempt) if self.by_ratio else attempt.size
        guessed, there = (
            self.expects(each)[self.by_ratio] for each in (self.guess.abscissa, max(abscissa, 0.0))
        )
        return math.log(max(cost, 1e-9)) + there - guessed


def lines_pay(plain: SearchProblem, apart: SearchProblem, encodes: Encodes) -> bool | None:
    """Whether structured noise is to be coded apart; None where that is not known.

    Parameters
    ----------
    plain, apart : SearchProblem
        Without and with it.
    encodes : Encodes
        The image.
    """
    both = Variant.of(plain, encodes), Variant.of(apart, encodes)
    if both[0] is None or both[1] is None or not (both[0].reachable and both[1].reachable):
        return None
    saved = both[0].cost - both[1].cost
    return None if LEAST_SAVED < saved < SURELY_SAVED else saved >= SURELY_SAVED


def best_at_scales(first: Variant, lower: Iterator[SearchProblem], encodes: Encodes) -> Solution:
    """Return the solution at the resolution that is best.

    Parameters
    ----------
    first : Variant
        At full resolution.
    lower : iterator of SearchProblem
        At a half, at a quarter.
    encodes : Encodes
        The image.

    Raises
    ------
    UnreachableTargetError
        No setting meets the target.
    """
    best, cost = first, None
    for level, problem in enumerate(lower):
        if _hopeless(first, level):
            break
        other = Variant.of(problem, encodes)
        near = NEAR_ERROR if first.by_ratio else NEAR_SIZE
        if other is None or other.cost > best.cost + near:
            break
        cost = best.coded_cost(encodes) if cost is None else cost
        found = other.coded_cost(encodes)
        if found >= cost:
            break
        best, cost = other, found
    return solve(best.problem, encodes, best.guess)


def _hopeless(first: Variant, level: int) -> bool:
    """Whether a lower resolution loses more than the target allows."""
    error = first.expects(first.guess.abscissa)[1]
    lost = first.expected.out_of_band[level : level + 1]
    return first.reachable and bool(lost) and math.log(max(lost[0], 1e-9)) > error + math.log(LOST)
