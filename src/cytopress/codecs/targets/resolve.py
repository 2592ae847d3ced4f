"""Resolve a request against an image: a codec at a fixed setting, or a search problem. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.targets.problem import SearchProblem
from cytopress.codecs.targets.target import Target
from cytopress.codecs.wrappers import (
    Guarded,
    Lines,
    PerPlane,
    Rescaled,
    Scaled,
    Tiled,
    Wavelet,
)
from cytopress.codecs.wrappers.lines import FRACTION, PlaneFits
from cytopress.codecs.wrappers.lines_mapping import CODED
from cytopress.codecs.wrappers.rescaled import stretch_bits
from cytopress.errors import UnsupportedImageError
from cytopress.image import Image
from cytopress.metrics.data_range import data_range
from cytopress.metrics.noise import fit_noise

if TYPE_CHECKING:
    from cytopress.codecs.targets.request import CodecRequest

# From so many pixels on, codecs that copy the image get it in blocks of (Z, Y = X) pixels.
LARGE, BLOCK = 2**25, (64, 512)


def estimate_scales(request: CodecRequest, image: Image) -> tuple[CodecRequest, list[str]]:
    """Return a request with its missing reference scales estimated, and doubts about them."""
    doubts = []
    if request.lacks_range:
        request = replace(request, data_range=data_range([image.pixels]))
    if request.lacks_noise:
        fit = fit_noise([image])
        request = replace(request, noise=fit.model)
        doubts = [] if fit.good else [f"The noise of this image: {fit.reason}"]
    return request, doubts


def compose(
    request: CodecRequest,
    setting: float | None,
    image: Image,
    lines: PlaneFits | None = None,
    levels: int | None = None,
) -> StreamCodec:
    """Return the codec of a value of the quality parameter (None: lossless) for an image.

    The adapter in its wrappers, from the inside out: tiles or blocks, planes of a stack or a
    wavelet along z, the stretched range, the resolution halved ``levels`` times, structured noise
    where ``lines`` are given, the guard. Without ``levels``, as the request says.
    """
    levels = given_levels(request) if levels is None else levels
    traits, codec = request.family.traits, request.adapter(setting)
    bits = _bits_of_small(codec, image) if levels else image.bits
    stretch = stretch_bits(codec, _pixel(image, bits) if levels else image)
    large = image.pixels.ndim == 3 and image.pixels.size >> 2 * levels > LARGE
    planes = BLOCK[0] if traits.whole and large else 0
    if request.tile is not None or planes:
        codec = Tiled(codec, tile=request.tile or BLOCK[1], planes=planes)
    if request.z == "wavelet":
        codec, stretch = Wavelet.over(codec), 0
    elif image.pixels.ndim == 3 and 3 not in traits.dims:
        codec = PerPlane(codec)
    if stretch:
        codec = Rescaled(codec, bits=stretch)
    if levels:
        codec = Scaled(codec, levels=levels, bits=0 if bits == image.bits else bits)
    if lines is not None and not codec.lossless:
        # A codec that maps the used range takes fractions of a count as well as counts.
        maps = stretch or request.z == "wavelet" or traits.percentiles != (0.0, 100.0)
        codec = Lines(codec, fraction=FRACTION if maps else 0, found=lines)
    if request.guard is not None and not codec.lossless:
        codec = Guarded(codec, max_error=request.guard)
    return codec


def _bits_of_small(codec: StreamCodec, image: Image) -> int:
    """Return the bits of an image at a lower resolution; more where the codec's steps allow."""
    maps_range = codec.packages() or stretch_bits(codec, image)
    return min(image.bits + FRACTION, 16) if maps_range else image.bits


def _pixel(image: Image, bits: int) -> Image:
    """Return one pixel with an image's axes, of so many bits."""
    dtype = np.uint8 if bits <= 8 else np.uint16
    return Image(np.zeros((1,) * image.pixels.ndim, dtype), bits=bits)


def check(request: CodecRequest, image: Image) -> None:
    """Raise UnsupportedImageError if an image cannot be coded as requested."""
    check_form(request, image)
    parameter = request.family.traits.parameter
    setting = parameter.finest if parameter and request.asked else request.native
    compose(request, setting, image).check(image)


def given_levels(request: CodecRequest) -> int:
    """Return how often a request wants the resolution halved; where it leaves it open, never."""
    return 0 if request.scale == "auto" else int(request.scale).bit_length() - 1


def resolve(
    request: CodecRequest,
    image: Image,
    lines: PlaneFits | None = None,
    levels: int | None = None,
) -> StreamCodec | SearchProblem:
    """Return the codec, or the search for it where a portable target is asked.

    Parameters
    ----------
    request : CodecRequest
        With its reference scales: given, or from `estimate_scales`.
    image : Image
        What is to be coded.
    lines : PlaneFits, optional
        Its structured noise, to be coded apart.
    levels : int, optional
        How often its resolution is halved, where the request leaves that open.

    Raises
    ------
    UnsupportedImageError
        The codec does not code the pixel type; or a wavelet along z is asked for an image that is
        no stack.
    """
    check_form(request, image)
    parameter = request.family.traits.parameter
    if request.asked is None or parameter is None:
        return compose(request, request.native, image, lines)
    if parameter.follows_range and image.dtype.kind == "f":
        low, high = float(image.pixels.min()), float(image.pixels.max())
        step = float(np.spacing(np.float32(max(abs(low), abs(high)))))
        parameter = parameter.for_floats(high - low, step)
    halved = given_levels(request) if levels is None else levels
    return SearchProblem(
        request.name,
        Target(*request.asked, request.data_range, request.noise),
        parameter,
        lambda setting: compose(request, setting, image, lines, halved),
        can_be_lossless=request.family.traits.can_be_lossless and not halved,
        guarded=request.guard is not None,
    )


def check_form(request: CodecRequest, image: Image) -> None:
    """Raise UnsupportedImageError for a pixel type or axes that the request cannot have."""
    # Before any wrapper, whose message would name the wrapper.
    request.family.traits.check_dtype(request.name, image.dtype, lossless=request.lossless)
    if request.z == "wavelet" and len(image.axes) != 3:
        raise UnsupportedImageError(
            f"z=wavelet is for stacks, and this image is {image.axes}: leave z out."
        )
    if given_levels(request) and image.dtype.name not in Scaled.traits.dtypes:
        raise UnsupportedImageError(
            f"scale={request.scale} is for {' and '.join(Scaled.traits.dtypes)}, not"
            f" {image.dtype.name}: leave scale out."
        )
    if request.lines == "1" and image.dtype.name not in CODED:
        raise UnsupportedImageError(
            f"lines=1 is for {' and '.join(CODED)} images, not {image.dtype.name}: leave it out, or"
            " give lines=auto."
        )
