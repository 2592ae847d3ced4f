"""JPEG XL: lossless, or lossy by a visual distance (libjxl)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.decoded_pixels import clip_to_bits
from cytopress.codecs.options import float_option, integer_option
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class JpegXL(StreamCodec):
    """Code a plane with JPEG XL.

    Lossy coding reads pixels as light on the full scale of their dtype, where 12-bit data in uint16
    are nearly black: the used range is stretched to 16 bits first.

    Parameters
    ----------
    distance : float
        Butteraugli distance, 0.01 to 25; 0 is lossless. The encoder silently uses 25 for more.
    effort : int
        1 (fast) to 9 (small).
    """

    distance: float = 0.0
    effort: int = 7

    name: ClassVar[str] = "jpegxl"
    number: ClassVar[int] = 3
    traits: ClassVar[Traits] = Traits(
        wavelet=True,
        dims=(2,),
        dtypes=("uint8", "uint16"),
        bits="1 to 16",
        parameter=QualityParameter("distance", "Butteraugli distance", 0.01, 25, finer="lower"),
        reads_back="the same dtype",
        can_be_lossless=True,
        exact=False,
        stretch=16,
    )

    def __post_init__(self) -> None:
        float_option(self, "distance", 0.01, 25, lossless=0)
        integer_option(self, "effort", 1, 9)

    @property
    def lossless(self) -> bool:
        """Whether the distance is zero."""
        return self.distance == 0

    def scale_error(self, share: float) -> Self:
        """Return the codec at a shorter distance."""
        if self.lossless:
            return self
        return replace(self, distance=min(max(self.distance * share, 0.01), 25.0))

    def compress(self, image: Image) -> bytes:
        """Return a JPEG XL codestream."""
        return bytes(
            imagecodecs.jpegxl_encode(
                image.pixels,
                effort=self.effort,
                distance=None if self.lossless else float(self.distance),
                lossless=self.lossless,
                numthreads=1,
            )
        )

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.jpegxl(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        return clip_to_bits(np.asarray(imagecodecs.jpegxl_decode(stream, numthreads=1)), form)
