"""JPEG 2000: lossless, or lossy at a signal-to-noise ratio (OpenJPEG)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.decoded_pixels import clip_to_bits
from cytopress.codecs.options import float_option
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Jpeg2000(StreamCodec):
    """Code a plane with JPEG 2000: the 5/3 wavelet where lossless, the 9/7 wavelet where lossy.

    Parameters
    ----------
    level : float
        Peak signal-to-noise ratio in dB, 10 to 120, over the full scale of the dtype; 0 is
        lossless. A spec string stretches the used range to that scale first, so there it is over
        the used range.
    """

    level: float = 0.0

    name: ClassVar[str] = "jpeg2000"
    number: ClassVar[int] = 5
    traits: ClassVar[Traits] = Traits(
        wavelet=True,
        dims=(2,),
        dtypes=("uint8", "uint16"),
        lossless_dtypes=("int8", "int16"),
        bits="1 to 16",
        parameter=QualityParameter(
            "level", "dB over the used range", 10, 120, finer="higher", scale="linear"
        ),
        reads_back="the same dtype",
        can_be_lossless=True,
        exact=False,
        stretch=16,
    )

    def __post_init__(self) -> None:
        float_option(self, "level", 10, 120, lossless=0)

    @property
    def lossless(self) -> bool:
        """Whether the level is zero."""
        return self.level == 0

    def stretch_bits(self, image: Image) -> int:
        """Return 12 for uint8: the time goes with the bits, and 8-bit data gain nothing from 16."""
        return 12 if image.dtype == np.uint8 else 16

    def scale_error(self, share: float) -> Self:
        """Return the codec at a level so many decibels higher."""
        if self.lossless:
            return self
        level = self.level - 20 * math.log10(share)
        return replace(self, level=min(max(level, 10.0), 120.0))

    def compress(self, image: Image) -> bytes:
        """Return a bare JPEG 2000 codestream."""
        return bytes(
            imagecodecs.jpeg2k_encode(
                image.pixels,
                # The library takes fractions, whatever its annotation says.
                level=float(self.level),  # type: ignore[arg-type]
                codecformat="j2k",
                reversible=self.lossless,
                # The rate control reads the level against this scale.
                bitspersample=image.bits,
                numthreads=1,
            )
        )

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.jpeg2000(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        return clip_to_bits(np.asarray(imagecodecs.jpeg2k_decode(stream, numthreads=1)), form)
