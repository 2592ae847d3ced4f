"""Tries of a target search: settings coded on one image, and which one comes next."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cytopress.codecs import progress
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.targets.bracket import Bracket
from cytopress.codecs.targets.encodes import Attempt, Encodes
from cytopress.codecs.targets.initial_guess import MIDDLE, InitialGuess
from cytopress.codecs.targets.problem import SearchProblem, accepts

# Each is a real encode; a codec whose steps are wide is not asked for more than it has.
MOST_TRIES = 12
# Along expected margins jumps of the largest error are all that is left after so many.
ENOUGH = 4
# Of a position of the quality parameter's range: finer than most codecs' own steps.
MOST_HALVINGS = 12
# How near to the target, relative, is near enough after one try, after two, and so on.
CLOSE = (0.002, 0.01, 0.02)
# A sample only says where to begin.
SAMPLE_CLOSE = 0.1
# Seams and headers of a sample weigh more, the fewer bytes there are: beyond a ratio of so much,
# that of the image grows faster than the sample's, by this share in logarithms.
SEAMS_FROM, SEAMS = 7.0, 0.2
# A codec that gave the same twice at other settings has none between, if the best one was such a
# setting or is as near as this.
MOST_REPEATS, NEAR = 2, 0.1
# Bytes, relative, that more tries for the largest error could still save.
SPARED = 0.005
# Where the ends of the quality parameter do not decide, its range is tried in so many steps first;
# not where the easy end misses the target by this much, relative: no setting meets it then. The
# largest error is one pixel's, and less sure.
GRID, HOPELESS, HOPELESS_LARGEST = 8, 0.25, 0.7
DESCENTS = 3
# The largest error is one pixel's: it jumps from setting to setting, and a coarser one may do.
PROBES = (0.01, 0.02, 0.04, 0.08)
# Largest logarithm of a number of bytes.
LARGEST = 700.0


@dataclass(frozen=True)
class _Tried:
    """What a setting reached, and in how many bytes; the bytes of all would be too many."""

    reached: float
    size: int


class Tries:
    """Settings tried so far, by position in the parameter's range: 0 is coarsest, 1 finest.

    ``best`` is the one to return of those that meet the target: the finest for ``ratio``, else the
    one with the fewest bytes.
    """

    def __init__(
        self, problem: SearchProblem, encodes: Encodes, guess: InitialGuess = MIDDLE
    ) -> None:
        self._guess = guess
        self._problem, self._encodes = problem, encodes
        self._target, self._parameter = problem.target, problem.parameter
        self._by_ratio = problem.target.kind == "ratio"
        self._by_largest = problem.target.kind == "max_error"
        self.tried: dict[float, _Tried] = {}
        self.best: Attempt | None = None
        self.last: Attempt | None = None
        self._best_place = 0.0
        self._coarsest = self._find_coarsest()

    @property
    def best_setting(self) -> float:
        """Value of the quality parameter of ``best``."""
        return self._parameter.value_at(self._best_place)

    def first(self) -> Attempt:
        """Return the attempt at the setting with which the search begins."""
        self._try(self._position(self._guess.abscissa))
        assert self.last is not None
        return self.last

    def run(self) -> None:
        """Approach the target from one setting; where the ends do not decide, from a grid."""
        if self._problem.guarded or self._undecided(self.approach()):
            self._from_grid()
        if self.best is None:
            return
        easy = self._best_place
        few = self._guess.expected
        if self._by_largest and (few or self._try(easy).reached < self._target.value):
            for step in PROBES[: 2 if few else None]:
                self._try(max(easy - step, self._coarsest))
        if self._problem.guarded and not self._by_ratio:
            self._descend((1 - self._coarsest) / GRID / 2)

    def explore(self) -> InitialGuess:
        """Return where to begin with the image of which these encodes are a sample."""
        bracket = Bracket(slope=self._guess.slope)
        place = self._guess.abscissa
        for _ in range(MOST_TRIES):
            margin = self._put(bracket, place, sample=True)
            known = abs(margin) <= SAMPLE_CLOSE and bracket.slope > 0
            if known or bracket.empty or self._adjacent(bracket):
                break
            place = bracket.next()
        return replace(self._guess, abscissa=bracket.root, slope=bracket.slope)

    def size_at(self, reached: float) -> float:
        """Return the bytes of a value reached, by a line in logarithms through near tries."""
        near = sorted(self.tried.values(), key=lambda one: abs(one.reached - reached))[:2]
        if len(near) == 1:
            return near[0].size
        (first, size), (second, other) = ((one.reached, math.log(one.size)) for one in near)
        slope = (other - size) / (second - first) if second != first else 0.0
        # Far from all tries the line may lead anywhere.
        return math.exp(min(size + slope * (reached - first), LARGEST))

    def approach(self, bracket: Bracket | None = None) -> Bracket:
        """Try settings until one is close to the target, or the codec has none that is."""
        bracket = bracket or Bracket(slope=self._guess.slope)
        place = self._guess.abscissa if not bracket.closed else bracket.next()
        for _ in range(MOST_TRIES):
            self._put(bracket, place)
            if self._ended(bracket):
                break
            bracket.aim = 0.0 if self._by_largest else self._close(1) / 2
            place = bracket.next()
        return bracket

    def _undecided(self, bracket: Bracket) -> bool:
        """Whether no setting met the target so far, and one between those tried still may."""
        if bracket.at_easy is not None or self._guess.expected:
            return False
        most = HOPELESS_LARGEST if self._by_largest else HOPELESS
        return self._target.margin(self._try(self._position(1.0)).reached) > -most

    def _put(self, bracket: Bracket, abscissa: float, *, sample: bool = False) -> float:
        """Try a setting, and return its margin; of a sample, that expected of the image."""
        reached = self._try(self._position(abscissa)).reached
        margin = self._target.margin(reached)
        if sample and self._by_ratio:
            margin += SEAMS * max(math.log(reached / SEAMS_FROM), 0.0)
        bracket.put(abscissa, margin)
        return margin

    def _close(self, more: int = 0) -> float:
        """Return how near to the target is near enough, after so many more tries."""
        if self._parameter.integer:
            return CLOSE[0]
        return CLOSE[min(len(self.tried) + more, len(CLOSE)) - 1]

    def _ended(self, bracket: Bracket) -> bool:
        """Whether another encode is not worth its time."""
        if bracket.empty or self._adjacent(bracket):
            return True
        if self._by_largest:
            # Settings with the same largest error may differ a lot in bytes.
            if not bracket.closed or self._spared(bracket) <= SPARED:
                return bracket.closed
            enough = self._guess.expected and len(self.tried) >= ENOUGH
            return enough and bracket.at_easy is not None and bracket.at_easy <= NEAR
        if bracket.at_easy is not None and bracket.at_easy <= self._close():
            return True
        if bracket.easy_repeats + bracket.hard_repeats < MOST_REPEATS or bracket.at_easy is None:
            return False
        return bracket.closed and (bracket.easy_repeats > 0 or bracket.at_easy <= NEAR)

    def _adjacent(self, bracket: Bracket) -> bool:
        """Whether both ends are known, and the codec has no setting between them."""
        if not bracket.closed:
            return False
        ends = (self._position(bracket.easy), self._position(bracket.hard))
        easy, hard = (self._parameter.value_at(end) for end in ends)
        return easy == hard or (self._parameter.integer and abs(easy - hard) <= 1)

    def _spared(self, bracket: Bracket) -> float:
        easy, hard = (self._try(self._position(end)) for end in (bracket.easy, bracket.hard))
        return easy.size / hard.size - 1

    def _position(self, abscissa: float) -> float:
        """Return the position of an abscissa's setting: a ratio is easy where it is coarse."""
        share = self._guess.share(abscissa)
        if self._by_ratio:
            share = 1 - share
        return self._coarsest + (1 - self._coarsest) * share

    def _from_grid(self) -> None:
        """Try settings all over the range, and approach the target between two of them."""
        abscissas = [step / GRID for step in range(GRID + 1)]
        margins = {
            abscissa: self._target.margin(self._try(self._position(abscissa)).reached)
            for abscissa in abscissas
        }
        easy = min((abscissa for abscissa in abscissas if margins[abscissa] >= 0), default=None)
        if easy:
            hard = easy - 1 / GRID
            self.approach(Bracket(hard, easy, margins[hard], margins[easy]))

    def _descend(self, step: float) -> None:
        """Go down in bytes from the best setting so far."""
        for _ in range(DESCENTS):
            met = [place for place, found in self.tried.items() if self._target.met(found.reached)]
            best = min(met, key=lambda place: self.tried[place].size)
            for position in (best - step, best + step):
                if 0 <= position <= 1 and self._accepts(position):
                    self._try(position)
            step /= 2

    def _find_coarsest(self) -> float:
        """Return the coarsest position that the codec accepts for this image."""
        if self._accepts(0.0):
            return 0.0
        self._codec_at(1.0).check(self._encodes.image)
        refused, accepted = 0.0, 1.0
        for _ in range(MOST_HALVINGS):
            middle = (refused + accepted) / 2
            if self._accepts(middle):
                accepted = middle
            else:
                refused = middle
        return accepted

    def _codec_at(self, position: float) -> StreamCodec:
        return self._problem.codec_at(self._parameter.value_at(position))

    def _accepts(self, position: float) -> bool:
        return accepts(self._codec_at(position), self._encodes.image)

    def _try(self, position: float) -> _Tried:
        value = self._parameter.value_at(position)
        same = [place for place in self.tried if self._parameter.value_at(place) == value]
        if not same:
            progress.stage(f"setting {len(self.tried) + 1}: {self._parameter.name} {value:g}")
            attempt = self._encodes.attempt(self._problem.codec_at(value), self._target)
            self.last, self.tried[position] = attempt, _Tried(attempt.reached, attempt.size)
            if self._target.met(attempt.reached):
                self._prefer(position, attempt)
        return self.tried[same[0] if same else position]

    def _prefer(self, position: float, attempt: Attempt) -> None:
        if self.best is not None:
            better = attempt.size < self.best.size
            if self._by_ratio:
                better = position > self._best_place
            if not better:
                return
        self.best, self._best_place = attempt, position
