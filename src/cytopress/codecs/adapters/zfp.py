"""ZFP in accuracy mode: a block transform codec with an error bound (LLNL)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import imagecodecs

from cytopress.codecs.adapters import headers
from cytopress.codecs.adapters.error_bound import ErrorBoundedCodec, error_bounded, float_step
from cytopress.codecs.base import Form, Traits
from cytopress.image import Pixels


@dataclass(frozen=True)
class Zfp(ErrorBoundedCodec):
    """Code a plane or volume with ZFP, in float32: on integers it breaks its own bound.

    Parameters
    ----------
    tolerance : float
        Largest error in counts; ZFP itself goes by powers of two. 0 is lossless.
    """

    tolerance: float = 0.0

    name: ClassVar[str] = "zfp"
    number: ClassVar[int] = 11
    traits: ClassVar[Traits] = error_bounded(
        can_be_lossless=True, exact=True, largest=(65536, 65536, 65536)
    )

    def _encode(self, pixels: Pixels, bound: float) -> Any:
        # Its fixed-point numbers are too coarse for a bound below the step of float32.
        lossless = bound <= float_step(pixels)
        mode = imagecodecs.ZFP.MODE.REVERSIBLE if lossless else imagecodecs.ZFP.MODE.FIXED_ACCURACY
        # The library takes fractions, whatever its annotation says.
        level: Any = None if lossless else bound
        return imagecodecs.zfp_encode(pixels, level, mode=mode, numthreads=1)

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.zfp(stream)

    def _decode(self, stream: bytes, form: Form) -> Any:  # noqa: ARG002 - the stream has the shape
        return imagecodecs.zfp_decode(stream, numthreads=1)
