"""Solve a target once for a whole data set: one native setting for each channel, from samples.

A target beyond a learned codec's finest setting is met by a residual (`residual_setting`).
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cytopress.archive.errors_of_pixels import Errors
from cytopress.archive.plan import Ceiling, Coding
from cytopress.archive.promise import (
    ceiling_of,
    share_finer,
    surplus_of_share,
    unseen_share,
)
from cytopress.archive.pyramid import halved
from cytopress.archive.residual_setting import may_be_met, residual_setting
from cytopress.archive.sample_codings import Coded, SampleCodings, Samples
from cytopress.archive.scale_of_chunks import SCALES, is_better, may_pay
from cytopress.archive.setting_search import Search
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.target import UNITS, Target
from cytopress.codecs.traits import QualityParameter
from cytopress.errors import UnreachableTargetError, UnsupportedImageError
from cytopress.image import Image
from cytopress.metrics.data_range import data_range
from cytopress.metrics.noise import fit_noise

# A search begins on every fourth chunk. Surpluses that are close enough there and at the end, in
# logarithms: 0.2 dB, or 2 %, and half of it.
EVERY, ROUGH, CLOSE = 4, 0.05, 0.012


def solve(asked: CodecRequest, samples: Samples, *, seen: float = 0.0) -> Coding:
    """Return the coding of a channel.

    ``seen`` is the share of the channel's chunks that are in the samples.

    Raises
    ------
    UnsupportedImageError
        The codec cannot code such chunks.
    UnreachableTargetError
        No setting meets the target on the samples.
    """
    found = _solve(asked, asked, samples, seen)
    # Under a guard the residual would pay for the details.
    by_choice = asked.scale == "auto" and asked.guard is None and found.ceiling is not None
    for scale in SCALES if by_choice else ():
        lower = None
        # A resolution that cannot be is no choice.
        with contextlib.suppress(UnreachableTargetError, UnsupportedImageError):
            if may_pay(scale, found, samples):
                lower = _solve(asked, replace(asked, scale=scale), samples, seen)
        if lower is None or not is_better(lower, found, asked):
            break
        found = lower
    return found


def _solve(asked: CodecRequest, chosen: CodecRequest, samples: Samples, seen: float) -> Coding:
    """Return the coding at a choice of all that was asked as ``auto``."""
    request, limits = with_scales(chosen, samples)
    codings = SampleCodings(request, samples.chunks, limits, samples.bits)
    native: float | None
    try:
        native = native_setting(request, codings, samples.fields)
    except UnreachableTargetError:
        if not may_be_met(request, samples):
            raise
        codings, native = _with_residual(request, samples, limits)
        request = replace(request, guard=codings.coding(native).request.guard)
    coded = codings.at(native)
    lossless = codings.coding(native).request.lossless
    ceiling = None if lossless else ceiling_of(request, coded.errors)
    found = coding_of(asked, request, samples, codings, native, ceiling)
    if ceiling is None:
        return found
    unseen = unseen_share(coded.errors, ceiling, seen)
    return replace(found, expected_finer=found.expected_finer + unseen)


def _with_residual(
    request: CodecRequest, samples: Samples, limits: tuple[float, float]
) -> tuple[SampleCodings, float]:
    assert request.asked is not None
    target = Target(*request.asked, request.data_range, request.noise)

    def surplus(codings: SampleCodings, value: float, every: int) -> float:
        return _surplus(request, target, codings, value, every, samples.fields[::every])

    every = EVERY if len(samples.chunks) >= 2 * EVERY else 1
    return residual_setting(request, samples, limits, surplus, every=every, close=CLOSE)


def coding_of(
    asked: CodecRequest,
    request: CodecRequest,
    samples: Samples,
    codings: SampleCodings,
    native: float | None,
    ceiling: Ceiling | None,
) -> Coding:
    """Return the coding of a channel at a setting, with what its samples let expect."""
    coded, coding = codings.at(native), codings.coding(native)
    noise = request.noise
    finer = 0.0 if ceiling is None else _share(coded, samples.fields, ceiling)
    return Coding(
        channel=samples.channel,
        dtype=samples.dtype.name,
        bits=samples.bits,
        asked=asked.spec,
        spec=replace(coding.request, noise=None).spec,
        limits=None if ceiling is None else coding.limits,
        noise=None if noise is None else (noise.a, noise.b, noise.offset),
        ceiling=ceiling,
        expected_ratio=codings.ratio(coded),
        expected_ratio_below=_ratio_below(request, samples, codings, native),
        expected_rmse=coded.total.rmse,
        expected_finer=finer,
    )


def with_scales(
    request: CodecRequest, samples: Samples
) -> tuple[CodecRequest, tuple[float, float]]:
    """Return a request with data range and noise model of the sampled planes, and their limits."""
    planes = [Image(plane, bits=samples.bits) for plane in samples.planes]
    noise = fit_noise(planes).model if request.lacks_noise else request.noise
    counts = data_range(samples.planes) if request.lacks_range else request.data_range
    request = request.with_reference_scales(counts, noise)
    # A resolution below has the frequencies twice, as far as its means leave them.
    below = (Image(halved(plane), bits=samples.bits) for plane in samples.planes)
    request = request.with_field_lines(itertools.chain(planes, below))
    return request, request.field_limits(planes)


def native_setting(
    request: CodecRequest, codings: SampleCodings, fields: Sequence[int] | None = None
) -> float | None:
    """Return the value of the quality parameter that meets a target over all chunks.

    With ``fields``, the field of each chunk, it is finer where too many chunks would not keep what
    each field is promised. None: lossless.

    Raises
    ------
    UnreachableTargetError
        No setting does.
    """
    parameter = codings.parameter
    if request.asked is None or parameter is None:
        return request.native
    target = Target(*request.asked, request.data_range, request.noise)
    by_ratio = target.kind == "ratio"
    few = EVERY if codings.count >= 2 * EVERY else 1
    exact = request.family.traits.can_be_lossless
    if exact and by_ratio and _lossless_ratio(codings, few, target.value) >= target.value:
        return None

    def search(every: int, close: float, start: float) -> float | None:
        def surplus(value: float) -> float:
            some = None if fields is None else fields[::every]
            return _surplus(request, target, codings, value, every, some)

        return Search(parameter, surplus, close, by_ratio).run(start)

    place: float | None = 0.5
    if few > 1:
        place = search(few, ROUGH, 0.5)
    found = search(1, CLOSE, 0.5 if place is None else place)
    native = None if found is None else parameter.value_at(found)
    if native is None and not (exact and not by_ratio):
        raise _unreachable(request, target, codings, parameter)
    if native is not None and exact and not by_ratio:
        ratio = codings.ratio(codings.at(native))
        if _lossless_ratio(codings, few, ratio) > ratio:
            return None
    return native


def _surplus(
    request: CodecRequest,
    target: Target,
    codings: SampleCodings,
    value: float,
    every: int,
    fields: Sequence[int] | None,
) -> float:
    coded = codings.at(value, every)
    if target.kind == "ratio":
        return -target.margin(codings.ratio(coded, every))
    surplus = target.margin(_reached(target, coded.total))
    if fields is None or not surplus > -1:
        return surplus
    return min(surplus, surplus_of_share(coded.errors, fields, ceiling_of(request, coded.errors)))


def _reached(target: Target, total: Errors) -> float:
    if target.kind == "psnr":
        assert target.data_range is not None
        return total.psnr(target.data_range)
    return total.sigma if target.kind == "sigma" else total.max_error


def _lossless_ratio(codings: SampleCodings, few: int, least: float) -> float:
    """Return the ratio of the lossless form, of few chunks where that is far from ``least``."""
    ratio = codings.ratio(codings.at(None, few), few)
    if few == 1 or ratio * 1.5 < least:
        return ratio if few == 1 else 0.0
    return codings.ratio(codings.at(None))


def _share(coded: Coded, fields: Sequence[int], ceiling: Ceiling) -> float:
    beyond = share_finer(coded.errors, fields, ceiling)
    return max(beyond, sum(coded.fallen_back) / len(coded.fallen_back))


def _ratio_below(
    request: CodecRequest, samples: Samples, codings: SampleCodings, native: float | None
) -> float:
    """Return the ratio of the next lower resolution."""
    limits = codings.coding(native).limits
    assert limits is not None
    # A chunk there is as long as one here: four of the means beside one another.
    means = codings.below(native)
    whole = [one for one in means if one.shape == max(other.shape for other in means)]
    blocks = [
        np.block([whole[n : n + 2], whole[n + 2 : n + 4]]) for n in range(0, len(whole) - 3, 4)
    ]
    below = SampleCodings(request, blocks or whole, limits, samples.bits)
    return below.ratio(below.at(native))


def _unreachable(
    request: CodecRequest, target: Target, codings: SampleCodings, parameter: QualityParameter
) -> UnreachableTargetError:
    if target.kind == "ratio":
        reached = codings.ratio(codings.at(parameter.value_at(0.0)))
    else:
        reached = _reached(target, codings.at(parameter.finest).total)
    text = f"{reached:.4g}" if math.isfinite(reached) else "none"
    return UnreachableTargetError(
        f"{request.name}: no setting reaches {target.kind}={target.value:g} on the sampled fields;"
        f" the nearest gives {text} {UNITS[target.kind]}."
    )
