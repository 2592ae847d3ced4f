"""Choice of coding structured noise apart: an image is coded both ways, and the better is kept."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container import container
from cytopress.codecs.periodic_noise.detection import Frequency
from cytopress.codecs.periodic_noise.frequencies import frequencies_of_planes, read_frequencies
from cytopress.codecs.targets import resolve
from cytopress.codecs.targets.encodes import Solution
from cytopress.codecs.targets.rate_curve import Point, error_at
from cytopress.codecs.wrappers.lines import PlaneFits, find_lines
from cytopress.codecs.wrappers.lines_mapping import CODED
from cytopress.errors import CodecError
from cytopress.image import Image
from cytopress.reuse import Reuse, reusing

if TYPE_CHECKING:
    from cytopress.codecs.targets.request import CodecRequest

# By how much the logarithm of an error falls with that of the rate, at the least and at the most;
# at high rates by 12 dB for each bit a pixel, twice what coarser ones give.
LEAST_SLOPE, MOST_SLOPE, A_BIT = 0.15, 3.0, 4 * math.log(2)


def seeks_lines(request: CodecRequest) -> bool:
    """Whether a request seeks structured noise, and does not know already where it is."""
    return request.lines in ("auto", "1") and not request.lossless


def field_lines(request: CodecRequest, images: Iterable[Image]) -> tuple[Frequency, ...]:
    """Return where fields have structured noise; see `CodecRequest.field_lines`."""
    if not seeks_lines(request):
        return ()
    coded = (image for image in images if image.dtype.name in CODED)
    return frequencies_of_planes(
        plane for image in coded for plane in image.pixels.reshape(-1, *image.shape[-2:])
    )


def lines_for(request: CodecRequest, image: Image) -> PlaneFits | None:
    """Return the structured noise that a request may code apart; None: none, or it is not asked."""
    if request.lines == "0" or request.lossless or image.dtype.name not in CODED:
        return None
    if request.lines not in ("auto", "1"):
        image = replace(image, lines=read_frequencies(request.lines))
    return find_lines(image)


def encode_better(request: CodecRequest, image: Image) -> bytes:
    """Return an image coded at a fixed setting, with structured noise apart where that pays."""
    resolve.check_form(request, image)
    lines = lines_for(request, image)
    if lines is None:
        return _at_setting(request, image, None).data
    # What is coded is decoded for its error.
    with reusing(Reuse()):
        plain, apart = (_at_setting(request, image, each) for each in (None, lines))
        return better_solution(apart, plain, image, request).data


def _at_setting(request: CodecRequest, image: Image, lines: PlaneFits | None) -> Solution:
    codec = resolve.compose(request, request.native, image, lines)
    return Solution(codec, codec.encode(image), 0.0, 0.0)


def better_solution(
    apart: Solution, plain: Solution, image: Image, request: CodecRequest
) -> Solution:
    """Return the better of two solutions of one request, with structured noise apart and without.

    Under a target of quality, the one of fewer bytes; under a ratio, that of less error. At a fixed
    setting the one that would need fewer bytes for the other's error.
    """
    kind = request.asked[0] if request.asked else ""
    if kind not in ("", "ratio"):
        return apart if len(apart.data) < len(plain.data) else plain
    errors = [squared_error(one.codec, one.data, image) for one in (apart, plain)]
    if kind == "ratio":
        return apart if errors[0] < errors[1] else plain
    sizes = len(apart.data), len(plain.data)
    if pays(sizes, (errors[0], errors[1]), image.pixels.size):
        return apart
    if sizes[0] >= sizes[1] and errors[0] >= errors[1]:
        return plain
    expected = _plain_error_at(sizes[0], Point(sizes[1], errors[1]), image, request)
    return apart if expected is not None and errors[0] < expected else plain


def _plain_error_at(size: int, here: Point, image: Image, request: CodecRequest) -> float | None:
    """Return the error at so many bytes without structured noise apart; None: not known."""
    parameter, native = request.family.traits.parameter, request.native
    if parameter is None or native is None:
        return None

    def coded(value: float) -> Point:
        found = _at_setting(replace(request, native=value), image, None)
        return Point(len(found.data), squared_error(found.codec, found.data, image))

    # The settings analyze one image, and what is coded is decoded. Not every image takes every one.
    with reusing(Reuse()), contextlib.suppress(CodecError):
        return error_at(size, here, parameter, native, coded)
    return None


def pays(sizes: tuple[int, int], errors: tuple[float, float], pixels: int) -> bool:
    """Whether the first of two codings is certainly the better one.

    It has a smaller error for its bytes by more than any codec's rate-distortion curve falls, or
    fewer bytes for its error by less than any curve rises.
    """
    rate = math.log(sizes[0] / sizes[1])
    floor = 1e-9
    gain = math.log(max(errors[1], floor) / max(errors[0], floor))
    most = max(MOST_SLOPE, A_BIT * 8 * sizes[1] / pixels)
    return gain > (most if rate > 0 else LEAST_SLOPE) * rate


def squared_error(codec: StreamCodec, data: bytes, image: Image) -> float:
    """Return the mean squared error of coded bytes."""
    header, stream = container.unpack(data)
    decoded = codec.restore(stream, header.form).pixels
    total = 0.0
    for was, now in zip(image.pixels, decoded, strict=True):
        total += float(np.square(was.astype(np.float64) - now).sum())
    return total / image.pixels.size
