"""The data range: the one number, in counts, that PSNR, NRMSE and SSIM refer to."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cytopress.image import Pixels
from cytopress.metrics.histogram import VALUES, histogram, histogram_percentiles

PERCENTILES = (0.01, 99.99)


def data_range(images: Iterable[Pixels]) -> float:
    """Return the 0.01 to 99.99 percentile span, in counts, of the pixels of all images together.

    Six digits; 1 where every pixel is the same, since metrics divide by it. Integer images are
    pooled as a histogram, so that memory does not grow with their number.
    """
    counts = np.zeros(VALUES, np.int64)
    floats: list[Pixels] = []
    for pixels in images:
        if pixels.dtype.kind == "f":
            floats.append(pixels.ravel())
        else:
            counts += histogram(pixels)
    if floats:
        low, high = np.percentile(np.concatenate(floats), PERCENTILES)
    else:
        low, high = histogram_percentiles(counts, PERCENTILES)
    return float(f"{high - low:.6g}") or 1.0
