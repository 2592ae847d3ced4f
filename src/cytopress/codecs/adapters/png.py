"""PNG: lossless, readable by any image software (libpng)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.options import integer_option
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Png(StreamCodec):
    """Code a plane with PNG.

    Parameters
    ----------
    level : int
        Compression level of Deflate (zlib): 1 (fast) to 9 (small).
    """

    level: int = 6

    name: ClassVar[str] = "png"
    number: ClassVar[int] = 1
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=("uint8", "uint16"),
        bits="1 to 16",
        parameter=None,
        reads_back="the same dtype, every pixel exactly",
        can_be_lossless=True,
        # libpng's limit against crafted files.
        largest=(1_000_000, 1_000_000),
    )

    def __post_init__(self) -> None:
        integer_option(self, "level", 1, 9)

    @property
    def lossless(self) -> bool:
        """Always true."""
        return True

    def compress(self, image: Image) -> bytes:
        """Return a PNG file."""
        # Every row grows by a byte, its filter: in thin images more than imagecodecs allocates.
        room = image.raw_bytes + image.raw_bytes // 8 + 2 * len(image.pixels) + 4096
        return bytes(imagecodecs.png_encode(image.pixels, level=self.level, out=room))

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.png(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        return np.asarray(imagecodecs.png_decode(stream)).reshape(form.shape)
