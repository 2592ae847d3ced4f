"""Residual layer: a target beyond a learned codec's finest setting, met by a coded residual.

The residual of a coarse setting is quantized uniformly, as under a guard. It costs what coding near
to lossless costs, whatever the setting: so the step alone is searched, down to every pixel exactly.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from cytopress.codecs.base import QualityParameter
from cytopress.codecs.targets.encodes import Encodes, Solution
from cytopress.codecs.targets.initial_guess import MIDDLE, InitialGuess, error_of
from cytopress.codecs.targets.problem import SearchProblem
from cytopress.codecs.targets.resolve import compose, given_levels
from cytopress.codecs.targets.search import solve
from cytopress.codecs.targets.target import Target
from cytopress.codecs.targets.tries import Tries
from cytopress.codecs.wrappers import Guarded
from cytopress.image import Image

if TYPE_CHECKING:
    from cytopress.codecs.targets.request import CodecRequest
    from cytopress.codecs.wrappers.lines import PlaneFits

# Settings below the residual that are compared on a sample: positions of the quality parameter.
BASES = (0.25, 0.5, 0.75, 1.0)


def may_have_residual(request: CodecRequest, image: Image) -> bool:
    """Whether a target that no setting reaches may be met by a residual."""
    parameter = request.family.traits.parameter
    if request.asked is None or parameter is None or request.guard is not None:
        return False
    if not request.packages or image.dtype.name not in Guarded.traits.dtypes:
        return False
    kind, value = request.asked
    # Another machine may decode otherwise by more than was asked for.
    return kind != "ratio" and not (kind == "max_error" and value < deviation_of(request, image))


def deviation_of(request: CodecRequest, image: Image) -> int:
    """Return the counts by which another machine may decode a setting otherwise."""
    parameter = request.family.traits.parameter
    assert parameter is not None
    return compose(request, parameter.finest, image, None, given_levels(request)).deviation


def solve_with_residual(
    request: CodecRequest, encodes: Encodes, lines: PlaneFits | None
) -> Solution:
    """Return the solution of a target with a residual over a coarse setting.

    Parameters
    ----------
    request : CodecRequest
        With its reference scales; `may_have_residual`.
    encodes : Encodes
        The image.
    lines : PlaneFits, optional
        Its structured noise, to be coded apart.

    """
    assert request.asked is not None
    image, target = encodes.image, Target(*request.asked, request.data_range, request.noise)
    parameter = request.family.traits.parameter
    assert parameter is not None
    levels = given_levels(request)

    def guarded(base: float, bound: float, apart: PlaneFits | None = lines) -> Guarded:
        bare = compose(request, base, image, apart, levels)
        return Guarded(bare, max_error=bare.deviation + round(bound) - 1)

    def problem(base: float, apart: PlaneFits | None = lines) -> SearchProblem:
        name, bounds = request.name, bounds_of(image)
        return SearchProblem(name, target, bounds, lambda bound: guarded(base, bound or 1, apart))

    guess = guess_of(target, image)

    def sample_size(base: float) -> float:
        # Structured noise is the same below every base.
        tries = Tries(problem(base, None), encodes.sample, guess)
        tries.explore()
        return tries.size_at(target.value)

    base = min(map(parameter.value_at, BASES), key=sample_size)
    if target.kind == "max_error":
        found = replace(guarded(base, 1), max_error=int(target.value))
        return replace(encodes.solution(encodes.attempt(found, target)), setting=base)
    return replace(solve(problem(base), encodes, guess), setting=base)


def guess_of(target: Target, image: Image) -> InitialGuess:
    """Return where the search for a bound begins: errors are as likely everywhere within a step."""
    bounds, wanted = bounds_of(image), error_of(target, image)
    bound = wanted if target.kind == "max_error" else (math.sqrt(12) * wanted + 1) / 2
    span = math.log(bounds.most / bounds.least)
    if span <= 0:
        return MIDDLE
    abscissa = 1 - math.log(max(bound, bounds.least) / bounds.least) / span
    return InitialGuess(min(max(abscissa, 0.0), 1.0), span)


def bounds_of(image: Image) -> QualityParameter:
    """Return the parameter of the search: the bound on this machine's error, and one more."""
    most = float(1 << max(image.bits - 1, 1))
    return QualityParameter("bound", "counts", 1, most, finer="lower", integer=True)
