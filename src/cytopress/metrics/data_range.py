"""The data range: the one number, in counts, that PSNR, NRMSE and SSIM refer to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from cytopress.image import Pixels

PERCENTILES = (0.01, 99.99)


def data_range(images: Iterable[Pixels]) -> float:
    """Return the 0.01 to 99.99 percentile span, in counts, of the pixels of all images together.

    Six digits; 1 where every pixel is the same, since metrics divide by it. Integer images are
    pooled as a histogram, so that memory does not grow with their number.
    """
    counts = np.zeros(2**16, np.int64)
    floats: list[Pixels] = []
    for pixels in images:
        if pixels.dtype.kind == "f":
            floats.append(pixels.ravel())
        else:
            # By planes: of a whole volume NumPy would make 64-bit integers first.
            for plane in pixels.reshape(-1, *pixels.shape[-2:]):
                counts += np.bincount(plane.ravel(), minlength=counts.size)
    if floats:
        low, high = np.percentile(np.concatenate(floats), PERCENTILES)
    else:
        low, high = _histogram_percentiles(counts)
    return float(f"{high - low:.6g}") or 1.0


def _histogram_percentiles(counts: Pixels) -> Sequence[float]:
    below = np.cumsum(counts)
    values = []
    for percentile in PERCENTILES:
        # Linear between neighbors in order, as numpy.percentile does it.
        position = percentile / 100 * (below[-1] - 1)
        first, rest = int(position), position - int(position)
        low, high = np.searchsorted(below, (first, min(first + 1, below[-1] - 1)), side="right")
        values.append(float(low + rest * (high - low)))
    return values
