"""Error-bounded codecs: the quality parameter and the bound that sperr, sz3, zfp and lerc share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.codecs.options import float_option
from cytopress.image import Image, Pixels

# Fractions of a count for float32, nearly all of uint16.
TOLERANCE = QualityParameter("tolerance", "largest error in counts", 1e-4, 65530, finer="lower")


def strict(tolerance: float, image: Image) -> float:
    """Return the bound to ask a codec for so that float32 rounding cannot break the one promised.

    Integer pixels come back rounded, so they are off by at most ``tolerance`` rounded to whole
    counts. Float32 pixels need room for rounding to the nearest float32: a step of float32 at the
    largest pixel is enough. Where the bound is finer than two steps half of it does: what is within
    half rounds back to the very pixel, or adds less than the other half.
    """
    if image.dtype.kind != "f":
        return float(tolerance)
    step = float(np.spacing(np.abs(image.pixels).max()))
    return max(tolerance - step, tolerance / 2)


class ErrorBoundedCodec(StreamCodec):
    """Base of adapters that code planes and volumes in float32, with a bound on every error."""

    tolerance: float

    def __post_init__(self) -> None:
        lossless = 0.0 if self.traits.can_be_lossless else None
        float_option(self, "tolerance", TOLERANCE.least, TOLERANCE.most, lossless=lossless)

    @property
    def lossless(self) -> bool:
        """Whether the bound is zero, which some of these codecs do not take."""
        return self.tolerance == 0

    @abstractmethod
    def _encode(self, pixels: Pixels, bound: float) -> Any:
        """Return the library's stream of float32 pixels."""

    @abstractmethod
    def _decode(self, stream: bytes, form: Form) -> Any:
        """Return float32 pixels of ``form``'s size, in any shape."""

    def compress(self, image: Image) -> bytes:
        """Return the library's stream."""
        pixels = image.pixels.astype(np.float32)
        return bytes(self._encode(pixels, strict(self.tolerance, image)))

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels."""
        pixels = np.asarray(self._decode(stream, form))
        return round_to_dtype(pixels.reshape(form.shape), form)


def error_bounded(*, can_be_lossless: bool = False, exact: bool = False) -> Traits:
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
        exact=exact,
    )
