"""Classic codecs at equal error: where a learned setting needs more bytes, and what to take.

Learned codecs are ahead where noise is left out. At fine settings, which code the noise, a classic
codec may need fewer bytes. Both are measured on a square in the middle of the image.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cytopress.codecs.adapters.jpeg2000 import Jpeg2000
from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.jpegxl import JpegXL
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.targets.encodes import Attempt, Encodes, Solution
from cytopress.codecs.targets.lossless_comparison import dearer_than_lossless
from cytopress.codecs.targets.resolve import compose, resolve
from cytopress.codecs.targets.sample import middle_of
from cytopress.codecs.targets.solutions import solution_of
from cytopress.codecs.targets.target import Target
from cytopress.codecs.wrappers import Guarded
from cytopress.errors import CodecError, UsageError
from cytopress.image import Image

if TYPE_CHECKING:
    from cytopress.codecs.targets.request import CodecRequest

RIVALS = (JpegXL, Jpeg2000)
# Bits a pixel from which on a learned setting codes noise, and is compared. On all validation
# images at hand the learned codec was ahead below that.
FINE_BITS = 1.0
# Fewer bytes than this, relative, may be the square's.
LEAST_GAIN = 0.03
# Counts of error below which it is nearly lossless: JPEG XL may be ahead of JPEG 2000 by half then.
FINE_ERROR = 0.6
# Elsewhere no classic codec was ahead unless JPEG 2000 took at most so many times the bytes.
NEAR = 1.04
# Decibels of a bit a pixel, where noise is coded.
A_BIT = 6.02
# Mean square errors on a logarithmic scale, of the range of 16 bits so that none is below 0 dB.
ERROR = Target("psnr", 0.0, data_range=65535.0)


def dearer(request: CodecRequest, found: Solution, encodes: Encodes) -> list[str]:
    """Return a warning where a learned solution takes more bytes than lossless or classic coding.

    Parameters are a request of a learned codec, its solution, and the image that was coded.
    """
    size = len(found.data)
    lossless = dearer_than_lossless(encodes, size)
    return lossless or dearer_than_classic(request, found.codec, encodes.image, size)


def dearer_than_classic(
    request: CodecRequest, codec: StreamCodec, image: Image, coded_bytes: int
) -> list[str]:
    """Return a warning where a classic codec needs fewer bytes for the same error.

    The same root-mean-square error, or the same bound on every pixel where one was asked for.

    Parameters
    ----------
    request : CodecRequest
        Of a learned codec.
    codec : StreamCodec
        What it was solved to.
    image : Image
        The image.
    coded_bytes : int
        What the image takes so.
    """
    if 8 * coded_bytes < FINE_BITS * image.pixels.size:
        return []
    plain = replace(request, lines="0")
    limits = plain.field_limits([image]) if image.limits is None else image.limits
    square = Encodes(replace(middle_of(image), limits=limits))
    own = square.attempt(codec, ERROR)
    found = dict(_bounded(request, codec, square))
    if not found and _near(request, own, square):
        found = dict(_alike(request, own.reached, square))
    best = min(found, key=found.__getitem__, default="")
    if not best or found[best] > (1 - LEAST_GAIN) * own.size:
        return []
    fewer = 1 - found[best] / own.size
    alike = "bound on every pixel" if best.startswith(JpegLS.name) else "error"
    return [f"at the same {alike} {best} needs about {fewer:.0%} fewer bytes."]


def _near(request: CodecRequest, own: Attempt, square: Encodes) -> bool:
    """Whether classic codecs may be ahead: lossless coding is near, or JPEG 2000 is not far."""
    error = ERROR.error(own.reached)
    if error < FINE_ERROR:
        return True
    image, spans = square.image, square.image.limits
    assert spans is not None
    # Its level is that of the used range.
    level = 20 * math.log10((spans[1] - spans[0]) / error)
    parameter = Jpeg2000.traits.parameter
    assert parameter is not None
    level = min(max(level, parameter.least), parameter.most)
    try:
        other = square.attempt(compose(_plain(request, Jpeg2000), level, image), ERROR)
    except CodecError:
        return True
    bits = (other.reached - own.reached) / A_BIT * image.pixels.size
    return other.size - bits / 8 < NEAR * own.size


def _bounded(request: CodecRequest, codec: StreamCodec, square: Encodes) -> list[tuple[str, int]]:
    """Return near-lossless JPEG-LS and its bytes, where a bound on every pixel was asked for."""
    guards = [one.max_error for one in codec.nested() if isinstance(one, Guarded)]
    if request.asked is not None and request.asked[0] == "max_error":
        guards.append(int(request.asked[1]))
    elif request.guard is None:
        return []
    with contextlib.suppress(CodecError, UsageError):
        rival = resolve(_plain(request, JpegLS, max(guards)), square.image)
        assert isinstance(rival, StreamCodec)
        return [(f"{JpegLS.name}:near={max(guards)}", len(square.untargeted(rival).data))]
    return []


def _alike(request: CodecRequest, reached: float, square: Encodes) -> Iterator[tuple[str, int]]:
    """Yield lossy classic codecs at an error, as specs, and their bytes; of floats there are none.

    An error of floats may be of any size, so that it has no decibels of the range of 16 bits.
    """
    takes = square.image.dtype.name
    for family in (each for each in RIVALS if takes in each.traits.dtypes):
        rival = _plain(request, family)
        if not math.isinf(reached):
            rival = replace(rival, asked=("psnr", reached), data_range=ERROR.data_range)
        with contextlib.suppress(CodecError):
            found = solution_of(rival, square, None)
            yield _spec(family, found.setting, request), len(found.data)


def _plain(
    request: CodecRequest, family: type[StreamCodec], native: float | None = None
) -> CodecRequest:
    """Return a request for a classic codec, with nothing apart."""
    return replace(
        request,
        family=family,
        native=native,
        asked=None,
        options=(),
        guard=None,
        lines="0",
        scale="1",
    )


def _spec(family: type[StreamCodec], setting: float | None, request: CodecRequest) -> str:
    """Return the spec to take: the same target, if it is one of error, or the setting found."""
    parameter = family.traits.parameter
    if setting is None or parameter is None:
        return family.name
    kind, value = request.asked or ("ratio", 0.0)
    if kind in ("psnr", "sigma"):
        return f"{family.name}:{kind}={value:g}"
    return f"{family.name}:{parameter.name}={setting:.3g}"
