"""Target search: the quality parameter's value that meets a target, by bisection on real encodes.

A request is resolved to a `SearchProblem` (`resolve`); `solve` returns its `Solution`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cytopress.codecs import progress
from cytopress.codecs.base import QualityParameter, StreamCodec
from cytopress.codecs.targets.encodes import Attempt, Encodes, Solution
from cytopress.codecs.targets.target import UNITS, Target
from cytopress.errors import UnreachableTargetError, UnsupportedImageError
from cytopress.image import Image

# Each is a real encode; twelve halvings of the range are finer than most codecs' own steps.
MOST_HALVINGS = 12
# Where the ends of the quality parameter do not decide, its range is tried in so many steps first.
GRID = 8
DESCENTS = 3
# The largest error is one pixel's: it jumps from setting to setting, and a coarser one may do.
PROBES = (0.01, 0.02, 0.04, 0.08)


@dataclass(frozen=True)
class SearchProblem:
    """A target, and the settings of a codec among which the search finds the one that meets it.

    Parameters
    ----------
    name : str
        Name of the codec family, for messages.
    target : Target
        What is to be met.
    parameter : QualityParameter
        What the search varies.
    codec_at : callable
        Takes a value of the quality parameter, or None for the lossless form; gives the codec.
    can_be_lossless : bool
        Whether there is a lossless form.
    guarded : bool
        Whether a coarse setting may take more bytes than a fine one, since its residual does.
    """

    name: str
    target: Target
    parameter: QualityParameter
    codec_at: Callable[[float | None], StreamCodec]
    can_be_lossless: bool = False
    guarded: bool = False


def solve(problem: SearchProblem, encodes: Encodes) -> Solution:
    """Return the setting that meets a target, and the image coded with it.

    Of the settings tried that meet the target, the one with the fewest bytes is returned; for
    ``ratio``, the finest. The lossless form is one of them, where there is one.

    Parameters
    ----------
    problem : SearchProblem
        From `resolve.resolve`.
    encodes : Encodes
        The image, and the settings that were tried on it before.

    Raises
    ------
    UnsupportedImageError
        No setting codes this image.
    UnreachableTargetError
        No setting meets the target; the message says what the nearest one reached.
    """
    target, lossless = problem.target, None
    if problem.can_be_lossless and _accepts(problem.codec_at(None), encodes.image):
        progress.stage("lossless")
        lossless = encodes.attempt(problem.codec_at(None), target)
    exact = lossless if lossless and target.met(lossless.reached) else None
    if exact and target.kind == "ratio":
        return _solution(exact, problem, encodes)
    search = _Search(problem, encodes)
    search.run()
    best = search.best
    if exact and (best is None or exact.size < best.size):
        best = exact
    if best is None:
        reached = [found.reached for found in search.tried.values()]
        raise _unreachable(problem, reached + ([lossless.reached] if lossless else []))
    return _solution(best, problem, encodes)


@dataclass(frozen=True)
class _Tried:
    """What a setting reached, and in how many bytes; the bytes of all would be too many."""

    reached: float
    size: int


class _Search:
    """Settings tried so far, by position in the parameter's range: 0 is coarsest, 1 finest.

    ``best`` is the one to return of those that meet the target: the finest for ``ratio``, else the
    one with the fewest bytes.
    """

    def __init__(self, problem: SearchProblem, encodes: Encodes) -> None:
        self._problem, self._encodes = problem, encodes
        self._target, self._parameter = problem.target, problem.parameter
        self.tried: dict[float, _Tried] = {}
        self.best: Attempt | None = None
        self._best_place = 0.0

    def run(self) -> None:
        """Try the ends, the grid between them if they do not decide, then halve the bracket."""
        by_ratio, guarded = self._target.kind == "ratio", self._problem.guarded
        coarsest = self._coarsest()
        grid = [coarsest + (1 - coarsest) * step / GRID for step in range(GRID + 1)]
        # A ratio is met from some position down and wants the finest such; the other targets are
        # met from some position up and want the coarsest.
        if not guarded and self._met(coarsest if by_ratio else 1.0):
            grid = [coarsest, 1.0]
        met = [position for position in grid if self._met(position)]
        if not met:
            return
        easy = max(met) if by_ratio else min(met)
        beyond = [place for place in grid if (place > easy if by_ratio else place < easy)]
        if beyond:
            easy = self._halve(easy, min(beyond) if by_ratio else max(beyond))
        if self._target.kind == "max_error" and self._try(easy).reached < self._target.value:
            for step in PROBES:
                self._try(max(easy - step, coarsest))
        if guarded and not by_ratio:
            self._descend((1 - coarsest) / GRID / 2)

    def _halve(self, easy: float, hard: float) -> float:
        """Return the position nearest to ``hard`` that meets the target."""
        for _ in range(MOST_HALVINGS):
            at_easy, at_hard = self._parameter.value_at(easy), self._parameter.value_at(hard)
            if at_easy == at_hard or (self._parameter.integer and abs(at_easy - at_hard) <= 1):
                break
            if self._target.close(self._try(easy).reached):
                break
            middle = (easy + hard) / 2
            easy, hard = (middle, hard) if self._met(middle) else (easy, middle)
        return easy

    def _descend(self, step: float) -> None:
        """Go down in bytes from the best setting so far."""
        for _ in range(DESCENTS):
            met = [place for place in self.tried if self._met(place)]
            best = min(met, key=lambda place: self.tried[place].size)
            for position in (best - step, best + step):
                if 0 <= position <= 1 and self._accepts(position):
                    self._try(position)
            step /= 2

    def _coarsest(self) -> float:
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
        return _accepts(self._codec_at(position), self._encodes.image)

    def _met(self, position: float) -> bool:
        return self._target.met(self._try(position).reached)

    def _try(self, position: float) -> _Tried:
        value = self._parameter.value_at(position)
        same = [place for place in self.tried if self._parameter.value_at(place) == value]
        if not same:
            progress.stage(f"setting {len(self.tried) + 1}: {self._parameter.name} {value:g}")
            attempt = self._encodes.attempt(self._problem.codec_at(value), self._target)
            self.tried[position] = _Tried(attempt.reached, attempt.size)
            if self._target.met(attempt.reached):
                self._prefer(position, attempt)
        return self.tried[same[0] if same else position]

    def _prefer(self, position: float, attempt: Attempt) -> None:
        if self.best is not None:
            better = attempt.size < self.best.size
            if self._target.kind == "ratio":
                better = position > self._best_place
            if not better:
                return
        self.best, self._best_place = attempt, position


def _accepts(codec: StreamCodec, image: Image) -> bool:
    try:
        codec.check(image)
    except UnsupportedImageError:
        return False
    return True


def _solution(best: Attempt, problem: SearchProblem, encodes: Encodes) -> Solution:
    return replace(encodes.solution(best), warnings=tuple(problem.target.warnings(best.reached)))


def _unreachable(problem: SearchProblem, reached: list[float]) -> UnreachableTargetError:
    target = problem.target
    at_most = target.kind in ("max_error", "sigma")
    nearest = min(reached) if at_most else max(reached)
    return UnreachableTargetError(
        f"{problem.name}: no setting reaches {target.kind}={target.value:g} on this image; the"
        f" nearest gives {nearest:.4g} {UNITS[target.kind]}."
    )
