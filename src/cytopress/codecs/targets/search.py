"""Target search: the quality parameter's value that meets a target, by a search on real encodes.

A request is resolved to a `SearchProblem` (`resolve`); `solve` returns its `Solution`.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

from cytopress.codecs import progress
from cytopress.codecs.targets.encodes import Attempt, Encodes, Solution
from cytopress.codecs.targets.initial_guess import MIDDLE, InitialGuess
from cytopress.codecs.targets.problem import SearchProblem, accepts
from cytopress.codecs.targets.target import UNITS
from cytopress.codecs.targets.tries import Tries
from cytopress.errors import CodecError, UnreachableTargetError
from cytopress.figures import figure

# An image's lossless ratio is at most so many times that of its sample, and the ratio of a lossless
# codec at most so many times that of deflate, the square of it where both are unknown.
UNLIKE = 2.0


def solve(problem: SearchProblem, encodes: Encodes, guess: InitialGuess | None = None) -> Solution:
    """Return the setting that meets a target, and the image coded with it.

    Of the settings tried that meet the target, the one with the fewest bytes is returned; for
    ``ratio``, the finest. The lossless form is one of them, where there is one.

    The answer depends on the image and the problem alone, never on what ``encodes`` hold: what
    is known there is not coded again, but decides nothing.

    Parameters
    ----------
    problem : SearchProblem
        From `resolve.resolve`.
    encodes : Encodes
        The image, and the settings that were tried on it before.
    guess : InitialGuess, optional
        Where the search begins, if that is known.

    Raises
    ------
    UnsupportedImageError
        No setting codes this image.
    UnreachableTargetError
        No setting meets the target; the message says what the nearest one reached.
    """
    by_ratio, lossless = problem.target.kind == "ratio", None
    if by_ratio and _may_be_lossless(problem, encodes, problem.target.value):
        lossless = _lossless(problem, encodes)
        if problem.target.met(lossless.reached):
            return _solution(lossless, None, problem, encodes)
    if guess is None:
        guess = MIDDLE if problem.guarded else _guess(problem, encodes)
    tries = Tries(problem, encodes, guess)
    tries.run()
    best, setting = tries.best, tries.best_setting
    ratio = encodes.image.raw_bytes / best.size if best else 0.0
    if not by_ratio and _may_be_lossless(problem, encodes, ratio):
        lossless = _lossless(problem, encodes)
        if problem.target.met(lossless.reached) and (best is None or lossless.size < best.size):
            return _solution(lossless, None, problem, encodes)
    if best is None:
        reached = [found.reached for found in tries.tried.values()]
        raise _unreachable(problem, reached + ([lossless.reached] if lossless else []))
    return _solution(best, setting, problem, encodes)


def _may_be_lossless(problem: SearchProblem, encodes: Encodes, ratio: float) -> bool:
    """Whether the lossless form may be that small; where its sample is far from it, it is not."""
    if not (problem.can_be_lossless and accepts(problem.codec_at(None), encodes.image)):
        return False
    if encodes.sample is encodes:
        return True
    raw = encodes.sample.image.pixels.tobytes()
    if len(raw) / len(zlib.compress(raw, level=1)) * UNLIKE * UNLIKE < ratio:
        return False
    try:
        sample = encodes.sample.untargeted(problem.codec_at(None))
    except CodecError:
        return True
    return sample.reached * UNLIKE >= ratio


def _lossless(problem: SearchProblem, encodes: Encodes) -> Attempt:
    progress.stage("lossless")
    return encodes.attempt(problem.codec_at(None), problem.target)


def _guess(problem: SearchProblem, encodes: Encodes) -> InitialGuess:
    """Return where a search begins: by expectation, or the setting that a sample needs."""
    expected = encodes.expected(problem.codec_at(problem.parameter.finest))
    if expected is not None:
        return InitialGuess.of(expected, problem.target, encodes.image)
    if encodes.sample is encodes:
        return MIDDLE
    try:
        return Tries(problem, encodes.sample).explore()
    except CodecError:
        return MIDDLE


def _solution(
    best: Attempt, setting: float | None, problem: SearchProblem, encodes: Encodes
) -> Solution:
    warnings = tuple(problem.target.warnings(best.reached))
    return replace(encodes.solution(best), setting=setting, warnings=warnings)


def _unreachable(problem: SearchProblem, reached: list[float]) -> UnreachableTargetError:
    target = problem.target
    at_most = target.kind in ("max_error", "sigma")
    nearest = min(reached) if at_most else max(reached)
    return UnreachableTargetError(
        f"{problem.name}: no setting reaches {target.kind}={target.value:g} on this image; the"
        f" nearest gives {figure(nearest)} {UNITS[target.kind]}."
    )
