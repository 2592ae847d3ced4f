"""Solution of a request: coded at its setting or its target, structured noise apart if better."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.targets import resolve
from cytopress.codecs.targets.encodes import Encodes, Solution
from cytopress.codecs.targets.lines_choice import better_solution
from cytopress.codecs.targets.lossless_comparison import lossless_ratio
from cytopress.codecs.targets.residual_layer import may_have_residual, solve_with_residual
from cytopress.codecs.targets.scale_choice import solve_at_best_scale
from cytopress.codecs.targets.search import solve
from cytopress.codecs.targets.variants import lines_pay
from cytopress.codecs.wrappers import Scaled
from cytopress.codecs.wrappers.lines import PlaneFits
from cytopress.errors import UnreachableTargetError, UnsupportedImageError
from cytopress.figures import ratio_text

if TYPE_CHECKING:
    from cytopress.codecs.targets.request import CodecRequest


def solution_of(request: CodecRequest, encodes: Encodes, lines: PlaneFits | None) -> Solution:
    """Return the solution of a request; with structured noise apart, where that is better.

    A target beyond a learned codec's finest setting is met by a residual.
    """
    pays = None if lines is None else _pays(request, encodes, lines)
    if pays:
        with contextlib.suppress(UnreachableTargetError, UnsupportedImageError):
            return _plain_or_apart(request, encodes, lines)
    try:
        plain = _plain_or_apart(request, encodes, None)
    except UnreachableTargetError as error:
        return _beyond(request, encodes, lines, error)
    if lines is None or pays is False:
        return plain
    try:
        apart = _plain_or_apart(request, encodes, lines)
    except (UnreachableTargetError, UnsupportedImageError):
        return plain
    return better_solution(apart, plain, encodes.image, request)


def _pays(request: CodecRequest, encodes: Encodes, lines: PlaneFits) -> bool | None:
    """Whether structured noise is expected to be coded better apart; None: not known."""
    plain, apart = (resolve.resolve(request, encodes.image, each) for each in (None, lines))
    if isinstance(plain, StreamCodec) or isinstance(apart, StreamCodec) or plain.guarded:
        return None
    return lines_pay(plain, apart, encodes)


def _beyond(
    request: CodecRequest, encodes: Encodes, lines: PlaneFits | None, error: UnreachableTargetError
) -> Solution:
    if lines is not None:
        with contextlib.suppress(UnreachableTargetError):
            return _plain_or_apart(request, encodes, lines)
    if may_have_residual(request, encodes.image):
        return solve_with_residual(request, encodes, lines)
    if not request.packages:
        raise error
    name, ratio = lossless_ratio(encodes)
    raise UnreachableTargetError(
        f"{error} It may be unlike the images that the model learned from; lossless {name} makes it"
        f" {ratio_text(ratio)} smaller."
    ) from error


def _plain_or_apart(request: CodecRequest, encodes: Encodes, lines: PlaneFits | None) -> Solution:
    problem = resolve.resolve(request, encodes.image, lines)
    if isinstance(problem, StreamCodec):
        return replace(encodes.untargeted(problem), setting=request.native)
    if request.scale == "auto" and encodes.image.dtype.name in Scaled.traits.dtypes:
        return solve_at_best_scale(request, encodes, lines)
    return solve(problem, encodes)
