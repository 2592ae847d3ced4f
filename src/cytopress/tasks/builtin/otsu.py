"""Otsu's threshold (IEEE Transactions on Systems, Man, and Cybernetics 9, 1979)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BINS = 256


def otsu_threshold(values: npt.NDArray[np.float64]) -> float:
    """Return the threshold that parts values into two classes of least variance.

    It is that of scikit-image to the last bit, its histogram of 256 bins in float32 included.

    Parameters
    ----------
    values : ndarray
        Numbers of any shape, at least two of them different.
    """
    counts, edges = np.histogram(values, BINS)
    counts = counts.astype(np.float32)
    centers = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    mean_below = np.cumsum(counts * centers) / below
    mean_above = (np.cumsum((counts * centers)[::-1]) / above[::-1])[::-1]
    between = below[:-1] * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2
    return float(centers[np.argmax(between)])
