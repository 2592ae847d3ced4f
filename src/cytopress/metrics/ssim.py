"""SSIM: structural similarity."""

from __future__ import annotations

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.image import Pixels
from cytopress.metrics.metric import Metric
from cytopress.reuse import reused

WINDOW = 11
# Truncated to the window; the constants are those of the paper.
SIGMA, TRUNCATE = 1.5, 3.5
K1, K2 = 0.01, 0.03


def ssim(reference: Pixels, test: Pixels, data_range: float) -> float:
    """Mean structural similarity [1]_, at most 1.

    Gaussian window of sigma 1.5 truncated to 11 taps, population covariance, K1 = 0.01, K2 = 0.03,
    in float64; the 5 pixels along every border, where the window does not fit, are left out. For a
    stack the window is three-dimensional, as in scikit-image.

    Raises
    ------
    NotAvailableError
        An axis is shorter than the window.

    References
    ----------
    .. [1] Z. Wang et al., "Image quality assessment: from error visibility to structural
       similarity", IEEE Transactions on Image Processing 13 (2004) 600.
    """
    if min(reference.shape) < WINDOW:
        raise NotAvailableError(
            f"ssim needs at least {WINDOW} pixels along every axis, not {reference.shape}."
        )
    return similarity(reference, test, data_range)


def similarity(
    reference: Pixels, test: Pixels, data_range: float, *, luminance: bool = True
) -> float:
    """Return the mean similarity, or without ``luminance`` that of contrast and structure alone."""
    scale = np.array([data_range])
    both = reused(
        "similarity", [reference, test, scale], lambda: _similarities(reference, test, data_range)
    )
    return float(both[0 if luminance else 1])


def _similarities(reference: Pixels, test: Pixels, data_range: float) -> Pixels:
    """Return the mean similarity with and without luminance, from the same local moments."""
    x, y = reference.astype(np.float64), test.astype(np.float64)
    # A study compares an original with dozens of decoded images.
    ux, uxx = reused("local moments", [reference], lambda: np.stack([_local(x), _local(x * x)]))
    uy = _local(y)
    vx, vxy = uxx - ux * ux, _local(x * y) - ux * uy
    vy: Pixels = _local(y * y) - uy * uy
    # The luminance term is (2 m n + C1) / (m^2 + n^2 + C1): one where C1 is huge.
    c1, none, c2 = ((k * data_range) ** 2 for k in (K1, 1e10, K2))
    product, squares = 2 * ux * uy, ux**2 + uy**2
    shared, spread = 2 * vxy + c2, vx + vy + c2
    inside = (slice((WINDOW - 1) // 2, -((WINDOW - 1) // 2)),) * x.ndim
    means = []
    for c in (c1, none):
        similar = ((product + c) * shared) / ((squares + c) * spread)
        means.append(similar[inside].mean(dtype=np.float64))
    return np.array(means)


def _local(values: Pixels) -> Pixels:
    """Return local means under the window."""
    from scipy.ndimage import gaussian_filter

    means: Pixels = gaussian_filter(values, SIGMA, mode="reflect", truncate=TRUNCATE)
    return means


METRIC = Metric("ssim", "", "higher", ssim)
