"""SPERR: wavelets with a bound on the error, for planes and volumes (NCAR)."""

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
class Sperr(StreamCodec):
    """Code a plane or volume with SPERR, in float32.

    Parameters
    ----------
    tolerance : float
        Largest error, 0.0001 to 65530 counts.
    """

    tolerance: float = 1.0

    name: ClassVar[str] = "sperr"
    number: ClassVar[int] = 12
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
        """Return a SPERR stream."""
        stream = imagecodecs.sperr_encode(
            _squeezed(image.pixels).astype(np.float32),
            strict(self.tolerance, image),
            imagecodecs.SPERR.MODE.PWE,
            numthreads=1,
        )
        return bytes(stream)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels."""
        pixels = np.asarray(imagecodecs.sperr_decode(stream, numthreads=1))
        return round_to_dtype(pixels.reshape(form.shape), form)


def _squeezed(pixels: Pixels) -> Pixels:
    # A stack of one plane ends the whole process in the library.
    return pixels[0] if pixels.ndim == 3 and len(pixels) == 1 else pixels
