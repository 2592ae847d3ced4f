"""ZFP in accuracy mode: a block transform codec with an error bound (LLNL)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import imagecodecs

from cytopress.codecs.adapters.error_bound import ErrorBoundedCodec, error_bounded
from cytopress.codecs.base import Form, Traits
from cytopress.image import Pixels


@dataclass(frozen=True)
class Zfp(ErrorBoundedCodec):
    """Code a plane or volume with ZFP, in float32: on integers it breaks its own bound.

    Parameters
    ----------
    tolerance : float
        Largest error, 0.0001 to 65530 counts; ZFP itself goes by powers of two. 0 is lossless.
    """

    tolerance: float = 0.0

    name: ClassVar[str] = "zfp"
    number: ClassVar[int] = 11
    traits: ClassVar[Traits] = error_bounded(can_be_lossless=True, exact=True)

    def _encode(self, pixels: Pixels, bound: float) -> Any:
        mode = imagecodecs.ZFP.MODE.FIXED_ACCURACY if bound else imagecodecs.ZFP.MODE.REVERSIBLE
        # The library takes fractions, whatever its annotation says.
        level: Any = bound or None
        return imagecodecs.zfp_encode(pixels, level, mode=mode, numthreads=1)

    def _decode(self, stream: bytes, form: Form) -> Any:  # noqa: ARG002 - the stream has the shape
        return imagecodecs.zfp_decode(stream, numthreads=1)
