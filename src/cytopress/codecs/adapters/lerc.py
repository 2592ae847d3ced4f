"""LERC: an exact error bound (Esri's Limited Error Raster Compression)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.adapters.error_bound import TOLERANCE, strict
from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.options import count_option
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Lerc(StreamCodec):
    """Code a plane with LERC.

    Its quantizer starts at the darkest pixel of a block and rounds up, so the mean of integer
    images rises by about half a count at small bounds, and shifts by more where the bound is larger
    than the noise.

    Parameters
    ----------
    tolerance : float
        Largest error in counts; 0 is lossless. For integer images the fraction is
        dropped.
    """

    tolerance: float = 0.0

    name: ClassVar[str] = "lerc"
    number: ClassVar[int] = 10
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=("uint8", "uint16", "float32"),
        lossless_dtypes=("int8", "int16", "int32", "uint32", "float64"),
        bits="any",
        parameter=TOLERANCE,
        reads_back="the same dtype, within the bound; the mean shifts by half a count or more",
        can_be_lossless=True,
        bound=1,
        bias=0.5,
    )

    def __post_init__(self) -> None:
        count_option(self, "tolerance", lossless=0)

    @property
    def lossless(self) -> bool:
        """Whether the bound is zero."""
        return self.tolerance == 0

    def compress(self, image: Image) -> bytes:
        """Return a LERC blob."""
        return bytes(imagecodecs.lerc_encode(image.pixels, level=strict(self.tolerance, image)))

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.lerc(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        return np.asarray(imagecodecs.lerc_decode(stream)).reshape(form.shape)
