"""Data range of a dataset, in counts: the scale of PSNR, NRMSE and SSIM."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cytopress.image import Pixels
from cytopress.metrics.histogram import VALUES, histogram, histogram_percentiles

PERCENTILES = (0.01, 99.99)


def data_range(images: Iterable[Pixels]) -> float:
    """Return the span from the 0.01 to the 99.99 percentile of all images' pixels, in counts.

    Rounded to six digits; 1 for constant images, since metrics divide by it.
    """
    low, high = pooled_percentiles(images, PERCENTILES)
    return float(f"{high - low:.6g}") or 1.0


def pooled_percentiles(
    images: Iterable[Pixels], percentiles: tuple[float, float]
) -> tuple[float, float]:
    """Return two percentiles of all images' pixels, in counts.

    Images of 8 and 16 bits are pooled in a histogram, so memory does not grow with their number.
    """
    counts = np.zeros(VALUES, np.int64)
    floats: list[Pixels] = []
    for pixels in images:
        if pixels.dtype.name not in ("uint8", "uint16"):
            floats.append(pixels.ravel())
        else:
            counts += histogram(pixels)
    if floats:
        low, high = np.percentile(np.concatenate(floats), percentiles)
    else:
        low, high = histogram_percentiles(counts, percentiles)
    return float(low), float(high)
