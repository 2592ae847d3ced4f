"""JPEG: lossy, 8 bits for uint8 and 12 bits for uint16 (libjpeg-turbo)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.decoded_pixels import clip_to_bits
from cytopress.codecs.options import float_option
from cytopress.errors import UnsupportedImageError
from cytopress.image import Image, Pixels

# The largest step of the standard luminance table; baseline JPEG stores steps up to 255.
LARGEST_STEP, MOST_STEP = 121, 255


@dataclass(frozen=True)
class Jpeg(StreamCodec):
    """Code a plane with JPEG: uint8 with 8 bits, uint16 stretched to 12 bits.

    A quality means the same quantizer steps relative to full scale for both. Where a 12-bit step is
    larger than a file can hold, pixels are divided by a power of two first.

    Parameters
    ----------
    quality : float
        1 to 100 of the Independent JPEG Group's scale, as for 8 bits.
    """

    quality: float = 75.0

    name: ClassVar[str] = "jpeg"
    number: ClassVar[int] = 8
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=("uint8", "uint16"),
        bits="8 (uint8) or 12 (uint16) coded",
        parameter=QualityParameter("quality", "of 100", 1, 100, finer="higher", scale="linear"),
        reads_back="the same dtype",
        can_be_lossless=False,
        stretch=12,
        largest=(65535, 65535),
    )

    def __post_init__(self) -> None:
        float_option(self, "quality", 1, 100)

    @property
    def lossless(self) -> bool:
        """Always false."""
        return False

    def stretch_bits(self, image: Image) -> int:
        """Return 12 for uint16; uint8 is coded as it is."""
        return 0 if image.dtype == np.uint8 else 12

    def check(self, image: Image) -> None:
        """Refuse uint16 that does not lie on the 12-bit scale."""
        super().check(image)
        if image.dtype == np.uint16 and image.bits > 12:
            raise UnsupportedImageError(
                f"jpeg codes uint16 with 12 bits, not {image.bits}: wrap it in Rescaled."
            )

    def compress(self, image: Image) -> bytes:
        """Return a JPEG file."""
        if image.dtype == np.uint8:
            level = max(1, round(self.quality))
            return bytes(imagecodecs.jpeg8_encode(image.pixels, level=level, optimize=True))
        shift, level = self._twelve_bits()
        half = 1 << shift >> 1
        pixels = np.minimum(image.pixels.astype(np.uint16) + np.uint16(half), 4095) >> shift
        return bytes(
            imagecodecs.jpeg8_encode(
                pixels.astype(np.uint16), level=level, bitspersample=12, optimize=True
            )
        )

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.jpeg(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        pixels = np.asarray(imagecodecs.jpeg8_decode(stream)).reshape(form.shape)
        if form.dtype == np.uint8:
            return clip_to_bits(pixels, form)
        return np.minimum(pixels.astype(np.uint16) << self._twelve_bits()[0], 4095)

    def _twelve_bits(self) -> tuple[int, int]:
        """Return the power of two to divide by, and the whole quality of what is left."""
        q = self.quality
        percent = 16 * (5000 / q if q < 50 else 200 - 2 * q)
        shift = 0
        while LARGEST_STEP * percent > 100 * MOST_STEP:
            percent /= 2
            shift += 1
        level = 5000 / percent if percent > 100 else (200 - percent) / 2
        return shift, min(100, max(1, round(level)))
