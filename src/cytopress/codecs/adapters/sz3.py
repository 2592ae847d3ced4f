"""SZ3: prediction with a bound on the error, for planes and volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters.tolerance import TOLERANCE, strict
from cytopress.codecs.base import StreamCodec, Traits
from cytopress.codecs.container.container import Form
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.codecs.options import float_option
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Sz3(StreamCodec):
    """Code a plane or volume with SZ3, in float32.

    Parameters
    ----------
    tolerance : float
        Largest error, 0.0001 to 65530 counts.
    """

    tolerance: float = 1.0

    name: ClassVar[str] = "sz3"
    number: ClassVar[int] = 13
    traits: ClassVar[Traits] = Traits(
        whole=True,
        dims=(2, 3),
        dtypes=("uint8", "uint16", "float32"),
        bits="any",
        parameter=TOLERANCE,
        reads_back="the same dtype, within the bound",
        can_be_lossless=False,
        exact=False,
        bound=1,
    )

    def __post_init__(self) -> None:
        float_option(self, "tolerance", TOLERANCE.least, TOLERANCE.most)

    @property
    def lossless(self) -> bool:
        """Never."""
        return False

    def compress(self, image: Image) -> bytes:
        """Return an SZ3 stream."""
        stream = imagecodecs.sz3_encode(
            image.pixels.astype(np.float32),
            mode=imagecodecs.SZ3.MODE.ABS,
            abs=strict(self.tolerance, image),
        )
        return bytes(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels."""
        pixels = imagecodecs.sz3_decode(stream, form.shape, np.float32)
        return round_to_dtype(np.asarray(pixels), form)
