"""Blosc2: bit or byte shuffle, then Zstandard, in blocks that fit a cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.options import integer_option
from cytopress.codecs.traits import ALL_DTYPES
from cytopress.errors import CorruptDataError, UsageError
from cytopress.image import Image, Pixels

FILTERS = {
    "bit": imagecodecs.BLOSC2.FILTER.BITSHUFFLE,
    "byte": imagecodecs.BLOSC2.FILTER.SHUFFLE,
}


@dataclass(frozen=True)
class Blosc2(StreamCodec):
    """Code a plane or volume as one chunk of Blosc2.

    Parameters
    ----------
    level : int
        Effort, 1 to 9.
    shuffle : {"bit", "byte"}
        Whether bits or bytes of the same significance are stored together. Noise fills only the
        lowest bits of an image, so "bit" gives fewer bytes.
    """

    level: int = 5
    shuffle: str = "bit"

    name: ClassVar[str] = "blosc2"
    number: ClassVar[int] = 14
    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=ALL_DTYPES,
        bits="any",
        parameter=None,
        reads_back="the same dtype, every pixel exactly",
        can_be_lossless=True,
        whole=True,
    )

    def __post_init__(self) -> None:
        integer_option(self, "level", 1, 9)
        if self.shuffle not in FILTERS:
            raise UsageError(f"blosc2: shuffle is bit or byte, not {self.shuffle}.")

    @property
    def lossless(self) -> bool:
        """Always true."""
        return True

    def compress(self, image: Image) -> bytes:
        """Return one chunk."""
        # The library takes arrays, whatever its annotation says.
        little: Any = image.pixels.astype(image.dtype.newbyteorder("<"), copy=False)
        return bytes(
            imagecodecs.blosc2_encode(
                little,
                level=int(self.level),
                compressor=imagecodecs.BLOSC2.COMPRESSOR.ZSTD,
                shuffle=FILTERS[self.shuffle],
                typesize=image.dtype.itemsize,
                numthreads=1,
            )
        )

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels."""
        if headers.blosc2(stream) != form.raw_bytes:
            raise CorruptDataError("blosc2: the chunk holds another number of bytes.")
        raw = imagecodecs.blosc2_decode(stream, numthreads=1, out=form.raw_bytes)
        pixels = np.frombuffer(raw, form.dtype.newbyteorder("<")).reshape(form.shape)
        return pixels.astype(form.dtype, copy=False)
