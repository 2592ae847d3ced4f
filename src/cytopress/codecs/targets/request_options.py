"""Options of a request: their checks, and the defaults of those that the image decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cytopress.codecs.periodic_noise.frequencies import read_frequencies
from cytopress.codecs.targets.target import TARGET_KINDS
from cytopress.errors import UsageError

if TYPE_CHECKING:
    from cytopress.codecs.targets.request import CodecRequest

# Structured noise coded apart: where that pays; the same, or a refusal of images that cannot be
# coded so; never.
LINES = ("auto", "1", "0")
# By what the resolution is divided: 2 or 4 where that meets a target in fewer bytes; always.
SCALES = ("auto", "1", "2", "4")


def check_quality(request: CodecRequest) -> None:
    """Check that the quality parameter, a target or neither is given, as the family allows."""
    traits = request.family.traits
    if traits.parameter is None:
        if request.asked:
            kind = "lossless" if traits.can_be_lossless else "coded at one rate"
            raise UsageError(f"{request.name} is always {kind}: it takes no {request.asked[0]}.")
        return
    if request.native is not None and request.asked is not None:
        raise UsageError(
            f"{request.name}: give one of {traits.parameter.name} and {request.asked[0]}, not both."
        )
    if request.native is None and request.asked is None and not traits.can_be_lossless:
        raise UsageError(
            f"{request.name} is always lossy: give one of {', '.join(TARGET_KINDS)} or"
            f" {traits.parameter.name} ({traits.parameter.unit})."
        )


def lines_option(request: CodecRequest) -> str:
    """Return ``lines``, its default resolved; raises UsageError if it is invalid."""
    lines = request.lines or ("auto" if request.family.traits.lines else "0")
    if lines not in LINES:
        read_frequencies(lines)
    _refuse_lossless(request, f"lines={lines}", lossy=lines == "1")
    return lines


def scale_option(request: CodecRequest) -> str:
    """Return ``scale``, its default resolved; raises UsageError if it is invalid.

    Without a target ``auto`` is ``1``: a value of the quality parameter keeps its meaning.
    """
    scale = request.scale or ("auto" if request.family.traits.scale else "1")
    if scale not in SCALES:
        raise UsageError(f"{request.name}: scale is auto, 1, 2 or 4, not {scale}.")
    _refuse_lossless(request, f"scale={scale}", lossy=scale in ("2", "4"))
    return "1" if scale == "auto" and request.asked is None else scale


def _refuse_lossless(request: CodecRequest, option: str, *, lossy: bool) -> None:
    if lossy and request.lossless:
        raise UsageError(
            f"{request.name}: {option} is for lossy settings, and this one is lossless; leave it"
            " out, or give a target."
        )
