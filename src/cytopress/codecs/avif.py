"""AVIF: a frame of AV1 as a still picture, lossy (libavif and aom)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.codec import Knob, StreamCodec, Traits, whole_option, within_bits
from cytopress.codecs.container import Form
from cytopress.errors import UnsupportedImageError, UsageError
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Avif(StreamCodec):
    """Code a plane with AVIF, luma only (YUV 4:0:0).

    The encoder ignores the quality of a gray image and codes it losslessly; given the plane three
    times as colors, with luma alone asked for, it obeys, and no chroma is in the bytes.

    Parameters
    ----------
    quality : int
        0 to 99 of libavif's scale.
    bits : int
        10, which most decoders in hardware know, or 12.
    speed : int
        0 (small) to 10 (fast).
    """

    quality: int = 60
    bits: int = 10
    speed: int = 6

    name: ClassVar[str] = "avif"
    number: ClassVar[int] = 9
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=("uint8", "uint16"),
        bits="10 or 12 coded",
        knob=Knob("quality", "of 100", 0, 99, finer="higher", scale="linear", integer=True),
        reads_back="the same dtype",
        can_be_lossless=False,
        stretch=10,
    )

    def __post_init__(self) -> None:
        whole_option(self, "quality", 0, 99)
        whole_option(self, "speed", 0, 10)
        if self.bits not in (10, 12):
            raise UsageError(f"avif: bits is 10 or 12, not {self.bits}.")

    @property
    def lossless(self) -> bool:
        """Never."""
        return False

    def stretch_bits(self, image: Image) -> int:  # noqa: ARG002 - the coded bits are an option
        """Return the bits that are coded."""
        return self.bits

    def check(self, image: Image) -> None:
        """Refuse what does not lie on the scale that is coded."""
        super().check(image)
        if image.bits != self.bits:
            raise UnsupportedImageError(
                f"avif codes {self.bits} bits, not {image.bits}: wrap it in Rescaled."
            )

    def compress(self, image: Image) -> bytes:
        """Return an AVIF file."""
        return bytes(
            imagecodecs.avif_encode(
                np.repeat(image.pixels[..., np.newaxis], 3, axis=-1),
                level=int(self.quality),
                speed=int(self.speed),
                bitspersample=self.bits,
                pixelformat=imagecodecs.AVIF.PIXEL_FORMAT.YUV400,
                numthreads=1,
            )
        )

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the plane."""
        return within_bits(np.asarray(imagecodecs.avif_decode(stream, numthreads=1)), form)
