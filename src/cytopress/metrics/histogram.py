"""Percentiles of integer pixels from a histogram, without copying or sorting a volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cytopress.image import Pixels

VALUES = 2**16
Histogram = npt.NDArray[np.int64]


def histogram(pixels: Pixels) -> Histogram:
    """Return how often each value from 0 to 65535 occurs in uint8 or uint16 pixels (..., Y, X)."""
    counts = np.zeros(VALUES, np.int64)
    # By planes: of a whole volume NumPy would make 64-bit integers first.
    for plane in pixels.reshape(-1, *pixels.shape[-2:]):
        counts += np.bincount(plane.ravel(), minlength=VALUES)
    return counts


def histogram_percentiles(counts: Histogram, percentiles: Sequence[float]) -> list[float]:
    """Return percentiles, linear between neighbors in order as `numpy.percentile` has them."""
    cumulative = np.cumsum(counts)
    last = cumulative[-1] - 1
    found = []
    for percentile in percentiles:
        position = percentile / 100 * last
        first, rest = int(position), position - int(position)
        low, high = np.searchsorted(cumulative, (first, min(first + 1, last)), side="right")
        found.append(float(low + rest * (high - low)))
    return found
