"""SZ3: a prediction codec with an error bound, for planes and volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters import headers
from cytopress.codecs.adapters.error_bound import ErrorBoundedCodec, error_bounded
from cytopress.codecs.base import Form, Traits
from cytopress.image import Pixels


@dataclass(frozen=True)
class Sz3(ErrorBoundedCodec):
    """Code a plane or volume with SZ3, in float32.

    Parameters
    ----------
    tolerance : float
        Largest error in counts.
    """

    tolerance: float = 1.0

    name: ClassVar[str] = "sz3"
    number: ClassVar[int] = 13
    traits: ClassVar[Traits] = error_bounded()

    def _encode(self, pixels: Pixels, bound: float) -> Any:
        return imagecodecs.sz3_encode(pixels, mode=imagecodecs.SZ3.MODE.ABS, abs=bound)

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.sz3(stream)

    def _decode(self, stream: bytes, form: Form) -> Any:
        return imagecodecs.sz3_decode(stream, form.shape, np.float32)
