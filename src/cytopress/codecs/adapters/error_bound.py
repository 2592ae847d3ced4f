"""Error-bounded codecs: the quality parameter and the bound that sperr, sz3, zfp and lerc share."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.codecs.options import count_option
from cytopress.errors import UnsupportedImageError
from cytopress.image import Image, Pixels

# Fractions of a count for float32, nearly all of uint16.
TOLERANCE = QualityParameter(
    "tolerance", "largest error in counts", 1e-4, 65530, finer="lower", follows_range=True
)

# Beyond it the integers of SPERR overflow.
MOST_TOLERANCES = 2.0**50


def strict(tolerance: float, image: Image) -> float:
    """Return the bound to ask a codec for so that float32 rounding cannot break the one promised.

    Integer pixels come back rounded, so they are off by at most ``tolerance`` rounded to whole
    counts. Float32 pixels need room for rounding to the nearest float32: a step of float32 at the
    largest pixel is enough. Where the bound is finer than two steps half of it does: what is within
    half rounds back to the very pixel, or adds less than the other half.
    """
    if image.dtype.kind != "f" or tolerance == 0:
        return float(tolerance)
    return max(tolerance - float_step(image.pixels), tolerance / 2)


def float_step(pixels: Pixels) -> float:
    """Return the distance from the largest of float32 pixels to the next float32."""
    return float(np.spacing(np.abs(pixels).max()))


class ErrorBoundedCodec(StreamCodec):
    """Base of adapters that code planes and volumes in float32, with a bound on every error.

    The libraries were made for ordinary numbers: where the tolerance is extreme, pixels are divided
    by a power of two near it, which a decoder knows from the tolerance.
    """

    tolerance: float
    # Whether the library ends the process where pixels are too many tolerances large.
    overflows: ClassVar[bool] = False

    def __post_init__(self) -> None:
        lossless = 0.0 if self.traits.can_be_lossless else None
        count_option(self, "tolerance", lossless=lossless)

    @property
    def lossless(self) -> bool:
        """Whether the bound is zero, which some of these codecs do not take."""
        return self.tolerance == 0

    @property
    def _exponent(self) -> int:
        ordinary = not self.tolerance or TOLERANCE.least <= self.tolerance <= TOLERANCE.most
        return 0 if ordinary else math.frexp(self.tolerance)[1]

    def check(self, image: Image) -> None:
        """Refuse a bound too fine for the numbers that the library computes with."""
        super().check(image)
        if not (self.overflows or self._exponent):
            return
        largest = float(np.abs(image.pixels).max())
        if largest > MOST_TOLERANCES * self.tolerance:
            raise UnsupportedImageError(
                f"{self.name} codes pixels of up to {MOST_TOLERANCES:.0e} times the tolerance, and"
                f" {largest:g} is more than that for {self.tolerance:g}: give a coarser tolerance,"
                " or replace outliers."
            )

    @abstractmethod
    def _encode(self, pixels: Pixels, bound: float) -> Any:
        """Return the library's stream of float32 pixels."""

    @abstractmethod
    def _decode(self, stream: bytes, form: Form) -> Any:
        """Return float32 pixels of ``form``'s size, in any shape."""

    def compress(self, image: Image) -> bytes:
        """Return the library's stream."""
        pixels = np.ldexp(image.pixels.astype(np.float32), -self._exponent)
        bound = math.ldexp(strict(self.tolerance, image), -self._exponent)
        return bytes(self._encode(pixels, bound))

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels."""
        pixels = np.asarray(self._decode(stream, form))
        if self._exponent:
            most = np.finfo(np.float32).max
            pixels = np.clip(np.ldexp(pixels, self._exponent), -most, most)
        return round_to_dtype(pixels.reshape(form.shape), form)


def error_bounded(
    *, can_be_lossless: bool = False, exact: bool = False, largest: tuple[int, ...] = ()
) -> Traits:
    """Return the traits of an `ErrorBoundedCodec`."""
    return Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16", "float32"),
        bits="any",
        parameter=TOLERANCE,
        reads_back="the same dtype, within the bound",
        can_be_lossless=can_be_lossless,
        bound=1,
        whole=True,
        largest=largest,
        exact=exact,
    )
