"""JPEG XR: lossless, or lossy by a quality (jxrlib)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.decoded_pixels import clip_to_bits
from cytopress.codecs.options import float_option
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class JpegXR(StreamCodec):
    """Code a plane with JPEG XR.

    Lossy coding works on the used range stretched to 12 bits: on 16 bits its coarsest quantizer
    reaches a ratio of only about 100.

    Parameters
    ----------
    quality : float
        0.001 to 0.999 of jxrlib's scale; 1 is lossless.
    """

    quality: float = 1.0

    name: ClassVar[str] = "jpegxr"
    number: ClassVar[int] = 7
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=("uint8", "uint16"),
        bits="1 to 16",
        parameter=QualityParameter("quality", "of 1", 0.001, 0.999, finer="higher", scale="linear"),
        reads_back="the same dtype",
        can_be_lossless=True,
        stretch=12,
    )

    def __post_init__(self) -> None:
        float_option(self, "quality", 0.001, 0.999, lossless=1)

    @property
    def lossless(self) -> bool:
        """Whether the quality is one."""
        return self.quality == 1

    def compress(self, image: Image) -> bytes:
        """Return a JPEG XR file."""
        level = None if self.lossless else float(self.quality)
        return bytes(imagecodecs.jpegxr_encode(image.pixels, level=level))

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.jpegxr(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        return clip_to_bits(np.asarray(imagecodecs.jpegxr_decode(stream)), form)
