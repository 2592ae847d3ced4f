"""High-throughput JPEG 2000: lossless, or lossy by a quantizer step (OpenJPH)."""

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


@dataclass(frozen=True)
class Htj2k(StreamCodec):
    """Code a plane with JPEG 2000's fast block coder.

    The lossy decoder lets values beyond the dtype's range wrap around: white would become black. So
    the used range is stretched to 15 of 16 bits, and the highest bit is free for overshoots.

    Parameters
    ----------
    step : float
        Step of the quantizer, 0.00003 to 1 of the image's full scale, ``2 ** bits``; 0 is
        lossless.
    """

    step: float = 0.0

    name: ClassVar[str] = "htj2k"
    number: ClassVar[int] = 6
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=("uint8", "uint16"),
        lossless_dtypes=("int8", "int16", "int32", "uint32"),
        bits="1 to 16",
        parameter=QualityParameter("step", "of the used range", 3e-5, 1, finer="lower"),
        reads_back="the same dtype",
        can_be_lossless=True,
        exact=False,
        stretch=15,
    )

    def __post_init__(self) -> None:
        float_option(self, "step", 3e-5, 1, lossless=0)

    @property
    def lossless(self) -> bool:
        """Whether the step is zero."""
        return self.step == 0

    def check(self, image: Image) -> None:
        """Refuse lossy coding of full-range images, which would wrap around."""
        super().check(image)
        if not self.lossless and image.bits == 8 * image.dtype.itemsize:
            raise UnsupportedImageError(
                f"htj2k codes lossy images of up to {image.bits - 1} bits in {image.dtype}, not"
                f" {image.bits}: wrap it in Rescaled."
            )

    def compress(self, image: Image) -> bytes:
        """Return a bare codestream."""
        if self.lossless:
            return bytes(imagecodecs.htj2k_encode(image.pixels, reversible=True))
        share = 2.0 ** (image.bits - 8 * image.dtype.itemsize)
        # The library counts from the dtype's full scale, and takes less than 0.00001 for lossless.
        level = max(self.step * share, 1.1e-5)
        return bytes(imagecodecs.htj2k_encode(image.pixels, level=level, reversible=False))

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.jpeg2000(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        return clip_to_bits(np.asarray(imagecodecs.htj2k_decode(stream)), form)
