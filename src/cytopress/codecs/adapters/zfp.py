"""ZFP in accuracy mode: a bound on the error, for planes and volumes (LLNL)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters.tolerance import TOLERANCE, strict
from cytopress.codecs.base import StreamCodec, Traits
from cytopress.codecs.container.container import Form
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.codecs.options import float_option
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Zfp(StreamCodec):
    """Code a plane or volume with ZFP, in float32: on integers it breaks its own bound.

    Parameters
    ----------
    tolerance : float
        Largest error, 0.0001 to 65530 counts; ZFP itself goes by powers of two. 0 is lossless.
    """

    tolerance: float = 0.0

    name: ClassVar[str] = "zfp"
    number: ClassVar[int] = 11
    traits: ClassVar[Traits] = Traits(
        whole=True,
        dims=(2, 3),
        dtypes=("uint8", "uint16", "float32"),
        bits="any",
        parameter=TOLERANCE,
        reads_back="the same dtype, within the bound",
        can_be_lossless=True,
        bound=1,
    )

    def __post_init__(self) -> None:
        float_option(self, "tolerance", TOLERANCE.least, TOLERANCE.most, lossless=0)

    @property
    def lossless(self) -> bool:
        """Whether the bound is zero."""
        return self.tolerance == 0

    def compress(self, image: Image) -> bytes:
        """Return a ZFP stream."""
        bound = strict(self.tolerance, image)
        mode = imagecodecs.ZFP.MODE.FIXED_ACCURACY if bound else imagecodecs.ZFP.MODE.REVERSIBLE
        pixels = image.pixels.astype(np.float32)
        # The library takes fractions, whatever its annotation says.
        level: Any = bound or None
        return bytes(imagecodecs.zfp_encode(pixels, level, mode=mode, numthreads=1))

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels."""
        pixels = np.asarray(imagecodecs.zfp_decode(stream, numthreads=1))
        return round_to_dtype(pixels.reshape(form.shape), form)
