"""Choice of the resolution: a target met at all, a half or a quarter of it, in the fewest bytes."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container import container
from cytopress.codecs.targets.encodes import Encodes, Solution
from cytopress.codecs.targets.problem import SearchProblem
from cytopress.codecs.targets.resolve import resolve
from cytopress.codecs.targets.sample import middle_of
from cytopress.codecs.targets.search import solve
from cytopress.codecs.targets.target import Target
from cytopress.codecs.targets.tries import Tries
from cytopress.codecs.targets.variants import Variant, best_at_scales
from cytopress.codecs.wrappers import Lines, Scaled
from cytopress.errors import UnreachableTargetError, UnsupportedImageError, UsageError
from cytopress.image import Image

if TYPE_CHECKING:
    from cytopress.codecs.targets.request import CodecRequest
    from cytopress.codecs.wrappers.lines import PlaneFits

MOST_LEVELS = 2
# Smaller images have nothing to gain that a header would not take.
LEAST_EDGE = 64
# Of the error at full resolution, what the lower resolution alone may lose, so that it can pay.
MOST_LOST = 0.8
# Mean square errors on a logarithmic scale, of the range of 16 bits so that none is below 0 dB.
ERROR = Target("psnr", 0.0, data_range=65535.0)


def solve_at_best_scale(
    request: CodecRequest, encodes: Encodes, lines: PlaneFits | None
) -> Solution:
    """Return the solution of a target at the resolution that needs the fewest bytes for it.

    For ``ratio``, that of the least error. Full resolution unless a lower one is better; raises
    as `search.solve` does.

    Parameters
    ----------
    request : CodecRequest
        With its reference scales.
    encodes : Encodes
        The image.
    lines : PlaneFits, optional
        Its structured noise, to be coded apart.
    """
    image = encodes.image
    first = Variant.of(_problem(request, image, 0, lines), encodes)
    if first is not None and request.guard is None:
        return best_at_scales(first, _lower(request, image, lines), encodes)
    by_ratio = request.asked is not None and request.asked[0] == "ratio"
    best, missed = None, None
    try:
        best = solve(_problem(request, image, 0, lines), encodes)
    except UnreachableTargetError as error:
        missed = error
        if not by_ratio:
            raise
    for level in _levels(image):
        problem = _problem(request, image, level, lines)
        if not _possible(problem):
            break
        found = None
        with contextlib.suppress(UnreachableTargetError, UnsupportedImageError):
            if best is None or _promising(request, level, best.codec, image):
                found = solve(problem, encodes)
        if found is not None and (best is None or _better(found, best, image, by_ratio=by_ratio)):
            best = found
        elif best is not None:
            break
    if best is None:
        assert missed is not None
        raise missed
    return best


def _lower(request: CodecRequest, image: Image, lines: PlaneFits | None) -> Iterator[SearchProblem]:
    problems = (_problem(request, image, level, lines) for level in _levels(image))
    return itertools.takewhile(_possible, problems)


def _levels(image: Image) -> range:
    return range(1, MOST_LEVELS + 1) if min(image.shape[-2:]) >= LEAST_EDGE else range(0)


def _problem(
    request: CodecRequest, image: Image, levels: int, lines: PlaneFits | None = None
) -> SearchProblem:
    found = resolve(request, image, lines, levels)
    assert isinstance(found, SearchProblem)
    return found


def _possible(problem: SearchProblem) -> bool:
    """Whether the guard allows what another machine may decode otherwise at a lower resolution."""
    try:
        problem.codec_at(problem.parameter.finest)
    except UsageError:
        return False
    return True


def _promising(request: CodecRequest, level: int, codec: StreamCodec, image: Image) -> bool:
    """Whether a lower resolution is better on a square in the middle, at the error found so far."""
    lines = [one for one in codec.nested() if isinstance(one, Lines)]
    for one in lines:
        codec, image = one.codec, one.rest(image)
    limits = replace(request, lines="0").field_limits([image])
    encodes = Encodes(replace(middle_of(image), limits=limits))
    before = encodes.attempt(codec, ERROR)
    if math.isinf(before.reached):
        return False
    problem = _problem(request, encodes.image, level)
    if _lost(problem, encodes) < before.reached - 10 * math.log10(MOST_LOST):
        return False
    at_error = replace(ERROR, value=before.reached)
    tries = Tries(replace(problem, target=at_error, guarded=False), encodes)
    tries.explore()
    return tries.size_at(before.reached) < before.size


def _lost(problem: SearchProblem, encodes: Encodes) -> float:
    """Return the error that the lower resolution alone leaves."""
    codec = problem.codec_at(problem.parameter.finest)
    scaled = next(one for one in codec.nested() if isinstance(one, Scaled))
    return encodes.attempt(replace(scaled, codec=Zstd()), ERROR).reached


def _better(found: Solution, best: Solution, image: Image, *, by_ratio: bool) -> bool:
    if by_ratio:
        return _error(found, image) > _error(best, image)
    return len(found.data) < len(best.data)


def _error(found: Solution, image: Image) -> float:
    header, stream = container.unpack(found.data)
    return ERROR.reached(image, found.codec.restore(stream, header.form).pixels)
