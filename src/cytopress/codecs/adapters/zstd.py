"""Zstandard after a byte shuffle: lossless, for any dtype and number of dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.options import integer_option
from cytopress.codecs.traits import ALL_DTYPES
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Zstd(StreamCodec):
    """Store bytes of the same significance together (byte shuffle), then Zstandard.

    Parameters
    ----------
    level : int
        Effort, 1 to 22.
    """

    level: int = 9

    name: ClassVar[str] = "zstd"
    number: ClassVar[int] = 2
    traits: ClassVar[Traits] = Traits(
        whole=True,
        dims=(2, 3),
        dtypes=ALL_DTYPES,
        bits="any",
        parameter=None,
        reads_back="the same dtype, every pixel exactly",
        can_be_lossless=True,
    )

    def __post_init__(self) -> None:
        integer_option(self, "level", 1, 22)

    @property
    def lossless(self) -> bool:
        """Always true."""
        return True

    def compress(self, image: Image) -> bytes:
        """Return one Zstandard frame."""
        return shuffle_zstd(image.pixels, self.level)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels."""
        return unshuffle_zstd(stream, form)


def shuffle_zstd(pixels: Pixels, level: int) -> bytes:
    """Return one Zstandard frame of pixels of any shape, their bytes shuffled, lowest first."""
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    planes = np.ascontiguousarray(little).view(np.uint8).reshape(-1, pixels.itemsize).T
    return bytes(imagecodecs.zstd_encode(planes.tobytes(), level=level))


def unshuffle_zstd(stream: bytes, form: Form) -> Pixels:
    """Return the pixels of `shuffle_zstd`, of ``form``'s shape and dtype."""
    # The size bounds what a crafted stream can make the decoder allocate.
    raw = np.frombuffer(imagecodecs.zstd_decode(stream, out=form.raw_bytes), np.uint8)
    little = np.ascontiguousarray(raw.reshape(form.dtype.itemsize, -1).T)
    pixels = little.view(form.dtype.newbyteorder("<")).reshape(form.shape)
    return pixels.astype(form.dtype, copy=False)
