"""Rounding to multiples of a step, then byte shuffle and Zstandard: any zarr reader opens it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cytopress.codecs.adapters.zstd import shuffle_zstd, unshuffle_zstd
from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.options import count_option, integer_option
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class RoundZstd(StreamCodec):
    """Round pixels to multiples of a step, and store the rounded pixels.

    Ties go to the even multiple, so rounding shifts no mean.

    Parameters
    ----------
    step : float
        Distance between levels in counts. In an integer image the multiples of a
        fractional step are rounded to counts.
    level : int
        Effort of Zstandard, 1 to 22.
    """

    step: float = 2.0
    level: int = 9

    name: ClassVar[str] = "round-zstd"
    number: ClassVar[int] = 15
    traits: ClassVar[Traits] = Traits(
        whole=True,
        dims=(2, 3),
        dtypes=("uint8", "uint16", "float32"),
        bits="any",
        parameter=QualityParameter(
            "step", "counts", 1e-4, 65530, finer="lower", follows_range=True
        ),
        reads_back="the same dtype, within half a step",
        can_be_lossless=False,
        bound=0.5,
    )

    def __post_init__(self) -> None:
        count_option(self, "step")
        integer_option(self, "level", 1, 22)

    @property
    def lossless(self) -> bool:
        """Never promised; integer images lose nothing at steps up to 1."""
        return False

    def compress(self, image: Image) -> bytes:
        """Return one Zstandard frame of the rounded pixels."""
        return shuffle_zstd(rounded(image, self.step), self.level)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the rounded pixels."""
        return unshuffle_zstd(stream, form)


def rounded(image: Image, step: float) -> Pixels:
    """Return the pixels of an image, of its dtype, rounded to multiples of a step in counts."""
    multiples = np.rint(image.pixels.astype(np.float64) / step) * step
    if image.dtype.kind == "f":
        # The multiple nearest to the largest float may lie beyond it.
        most = float(np.finfo(np.float32).max)
        multiples = np.clip(multiples, -most, most)
    else:
        multiples = np.clip(np.rint(multiples), 0, 2**image.bits - 1)
    return np.asarray(multiples.astype(image.dtype))
