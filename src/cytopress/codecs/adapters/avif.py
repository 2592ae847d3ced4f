"""AVIF: AV1 still pictures, lossy (libavif and aom)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.codecs.options import float_option, integer_option
from cytopress.errors import UnsupportedImageError, UsageError
from cytopress.image import Image, Pixels

# The library's number of quantizers, the growth of the step from one to the next (about), and the
# finest level that is still lossy. Decoding depends on them: never change them.
QUANTIZERS, STEP, FINEST = 64, 0.08, 99
# libavif's decoder refuses more.
MOST_PIXELS = 2**28


@dataclass(frozen=True)
class Avif(StreamCodec):
    """Code a plane with AVIF, luma only (YUV 4:0:0).

    The encoder ignores the quality of a gray image and codes it losslessly. Given the plane three
    times as RGB, with luma alone asked for, it obeys, and no chroma is in the bytes. It has only 64
    quantizers, near the noise up to half the bytes apart. For one between two of them pixels are
    scaled down a little before the finer one, which has the same effect.

    Parameters
    ----------
    quality : float
        0 to 99 of libavif's scale.
    bits : int
        Coded bit depth: 10, which most hardware decoders support, or 12.
    speed : int
        0 (small) to 10 (fast).
    """

    quality: float = 60.0
    bits: int = 10
    speed: int = 6

    name: ClassVar[str] = "avif"
    number: ClassVar[int] = 9
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=("uint8", "uint16"),
        bits="10 or 12 coded",
        parameter=QualityParameter("quality", "of 100", 0, 99, finer="higher", scale="linear"),
        reads_back="the same dtype",
        can_be_lossless=False,
        stretch=10,
        # Beyond it libavif writes files that its own decoder refuses.
        largest=(32768, 32768),
    )

    def __post_init__(self) -> None:
        float_option(self, "quality", 0, 99)
        integer_option(self, "speed", 0, 10)
        if self.bits not in (10, 12):
            raise UsageError(f"avif: bits is 10 or 12, not {self.bits}.")

    @property
    def lossless(self) -> bool:
        """Always false."""
        return False

    def stretch_bits(self, image: Image) -> int:  # noqa: ARG002 - an option says it
        """Return the coded bit depth."""
        return self.bits

    def check(self, image: Image) -> None:
        """Refuse another bit depth than the coded one, and what no decoder would take."""
        super().check(image)
        if image.bits != self.bits:
            raise UnsupportedImageError(
                f"avif codes {self.bits} bits, not {image.bits}: wrap it in Rescaled."
            )
        if image.pixels.size > MOST_PIXELS:
            raise UnsupportedImageError(
                f"avif codes planes of up to {MOST_PIXELS} pixels, not {image.pixels.size}: give"
                " tile=512, which codes an image in tiles."
            )

    def compress(self, image: Image) -> bytes:
        """Return an AVIF file."""
        level, factor = self._quantizer()
        scaled = np.rint(image.pixels.astype(np.float64) * factor)
        return bytes(
            imagecodecs.avif_encode(
                np.repeat(scaled.astype(np.uint16)[..., np.newaxis], 3, axis=-1),
                level=level,
                speed=int(self.speed),
                bitspersample=self.bits,
                pixelformat=imagecodecs.AVIF.PIXEL_FORMAT.YUV400,
                numthreads=1,
            )
        )

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.avif(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        pixels = np.asarray(imagecodecs.avif_decode(stream, numthreads=1)).astype(np.float64)
        return round_to_dtype(pixels.reshape(form.shape) / self._quantizer()[1], form)

    def _quantizer(self) -> tuple[int, float]:
        """Return the library's level for the next finer quantizer, and the factor for pixels."""
        position = self.quality * (QUANTIZERS - 1) / 100
        finer = math.ceil(position)
        level = min(round(finer * 100 / (QUANTIZERS - 1)), FINEST)
        return level, 1 - STEP * (finer - position)
