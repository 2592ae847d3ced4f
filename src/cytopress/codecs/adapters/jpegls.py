"""JPEG-LS: lossless, or with an exact error bound (CharLS)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.decoded_pixels import clip_to_bits
from cytopress.codecs.options import integer_option
from cytopress.errors import UnsupportedImageError
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class JpegLS(StreamCodec):
    """Code a plane with JPEG-LS.

    Parameters
    ----------
    near : int
        Largest error in counts, 0 (lossless) to 255; for uint8 at most 127: above that the encoder
        writes streams that no decoder reads.
    """

    near: int = 0

    name: ClassVar[str] = "jpegls"
    number: ClassVar[int] = 4
    traits: ClassVar[Traits] = Traits(
        wavelet=True,
        dims=(2,),
        dtypes=("uint8", "uint16"),
        bits="1 to 16",
        parameter=QualityParameter("near", "counts of error", 1, 255, finer="lower", integer=True),
        reads_back="the same dtype, within the bound, which is at most 255 counts (uint8: 127)",
        can_be_lossless=True,
        bound=1,
    )

    def __post_init__(self) -> None:
        integer_option(self, "near", 0, 255)

    @property
    def lossless(self) -> bool:
        """Whether the bound is zero."""
        return self.near == 0

    def check(self, image: Image) -> None:
        """Refuse what the encoder would code wrongly."""
        super().check(image)
        if image.dtype == np.uint8 and self.near > 127:
            raise UnsupportedImageError(f"jpegls: uint8 takes near up to 127, not {self.near}.")

    def rounding_step(self) -> int:
        """Return the step whose rounding keeps the bound."""
        return 2 * int(self.near) + 1

    def scale_error(self, share: float) -> Self:  # noqa: ARG002 - all error is from the rounding
        """Return the lossless codec: before a wavelet, pixels are rounded to `rounding_step`."""
        return replace(self, near=0)

    def compress(self, image: Image) -> bytes:
        """Return a JPEG-LS stream."""
        # Noise over the full range grows by a few percent, more than imagecodecs allocates.
        # No code word takes more than four times its pixel (T.87, LIMIT).
        room = 4 * image.raw_bytes + 4096
        return bytes(imagecodecs.jpegls_encode(image.pixels, level=self.near, out=room))

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.jpegls(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        return clip_to_bits(np.asarray(imagecodecs.jpegls_decode(stream)), form)
