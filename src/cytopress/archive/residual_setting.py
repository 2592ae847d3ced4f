"""Residual setting: a bound on every pixel, over a coarse setting, for targets that need more.

What no setting of a learned codec reaches, a coded residual does (`codecs.targets.residual_layer`).
The bound is sought on the sampled chunks, as a setting is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cytopress.archive.sample_codings import SampleCodings, Samples
from cytopress.archive.setting_search import Search
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.residual_layer import (
    BASES,
    bounds_of,
    deviation_of,
    may_have_residual,
)
from cytopress.image import Image
from cytopress.reuse import Reuse, reusing

# How much better than asked the chunks are, from their codings, a setting, and every how many.
Surplus = Callable[[SampleCodings, float, int], float]


def may_be_met(request: CodecRequest, samples: Samples) -> bool:
    """Whether a target that no setting reaches on the samples may be met by a residual."""
    return may_have_residual(request, _image(samples))


def residual_setting(
    request: CodecRequest,
    samples: Samples,
    limits: tuple[float, float],
    surplus: Surplus,
    *,
    every: int,
    close: float,
) -> tuple[SampleCodings, float]:
    """Return the codings with the largest bound that meets a target, and their setting.

    Parameters
    ----------
    request : CodecRequest
        With its reference scales; `may_be_met`.
    samples : Samples
        Chunks of a channel.
    limits : (low, high)
        Of the channel, in counts.
    surplus : callable
        By how much chunks are better than asked.
    every : int
        A search begins on every so manieth chunk.
    close : float
        A surplus so near to 0 is close enough.
    """
    image = _image(samples)
    deviation, parameter = deviation_of(request, image), request.family.traits.parameter
    assert request.asked is not None
    assert parameter is not None
    known: dict[int, SampleCodings] = {}

    def codings(bound: float) -> SampleCodings:
        guard = deviation + round(bound) - 1
        if guard not in known:
            guarded = replace(request, guard=guard)
            known[guard] = SampleCodings(guarded, samples.chunks, limits, samples.bits)
        return known[guard]

    def search(base: float, among: int, start: float) -> float:
        steps = bounds_of(image)
        found = Search(steps, lambda bound: surplus(codings(bound), base, among), close)
        # At the end of the range every pixel is exact on this machine.
        return steps.value_at(found.run(start) or 1.0)

    first, *others = map(parameter.value_at, BASES)
    kind, value = request.asked
    with reusing(Reuse()):
        given = value - deviation + 1 if kind == "max_error" else None
        bound = search(first, every, 0.5) if given is None else given
        base = min([first, *others], key=lambda one: sum(codings(bound).at(one, every).sizes))
        if given is None:
            bound = search(base, 1, bounds_of(image).position_of(bound))
    return codings(bound), base


def _image(samples: Samples) -> Image:
    return Image(samples.chunks[0], bits=samples.bits)
