"""The quality parameter of codecs that bound the error, and its bound for an image's dtype."""

from __future__ import annotations

import numpy as np

from cytopress.codecs.base import QualityParameter
from cytopress.image import Image

# Fractions of a count for float32, nearly all of uint16.
TOLERANCE = QualityParameter("tolerance", "largest error in counts", 1e-4, 65530, finer="lower")


def strict(tolerance: float, image: Image) -> float:
    """Return the bound to ask a codec for so that float32 rounding cannot break the one promised.

    Integer pixels come back rounded, so they are off by at most ``tolerance`` rounded to whole
    counts. Float32 pixels need room for rounding to the nearest float32: a step of float32 at the
    largest pixel is enough. Where the bound is finer than two steps half of it does: what is within
    half rounds back to the very pixel, or adds less than the other half.
    """
    if image.dtype.kind != "f":
        return float(tolerance)
    step = float(np.spacing(np.abs(image.pixels).max()))
    return max(tolerance - step, tolerance / 2)
