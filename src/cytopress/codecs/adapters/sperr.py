"""SPERR: a wavelet codec with an error bound, for planes and volumes (NCAR)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import imagecodecs

from cytopress.codecs.adapters import headers
from cytopress.codecs.adapters.error_bound import ErrorBoundedCodec, error_bounded
from cytopress.codecs.base import Form, Traits
from cytopress.image import Pixels

# The library stores 16 bits of a volume's lengths: it codes the rest of a longer one wrongly.
LARGEST_VOLUME = (65535, 65535, 65535)


@dataclass(frozen=True)
class Sperr(ErrorBoundedCodec):
    """Code a plane or volume with SPERR, in float32.

    Parameters
    ----------
    tolerance : float
        Largest error in counts.
    """

    tolerance: float = 1.0

    name: ClassVar[str] = "sperr"
    number: ClassVar[int] = 12
    traits: ClassVar[Traits] = error_bounded(largest=LARGEST_VOLUME)
    overflows: ClassVar[bool] = True

    def _encode(self, pixels: Pixels, bound: float) -> Any:
        # A stack of one plane ends the whole process in the library.
        squeezed = pixels[0] if pixels.ndim == 3 and len(pixels) == 1 else pixels
        return imagecodecs.sperr_encode(squeezed, bound, imagecodecs.SPERR.MODE.PWE, numthreads=1)

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the stream's header."""
        return headers.sperr(stream)

    def _decode(self, stream: bytes, form: Form) -> Any:  # noqa: ARG002 - the stream has the shape
        return imagecodecs.sperr_decode(stream, numthreads=1)
