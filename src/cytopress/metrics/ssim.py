"""SSIM: structural similarity."""

from __future__ import annotations

from typing import Any

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.image import Pixels
from cytopress.metrics.metric import Metric

WINDOW = 11
SIGMA = 1.5


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
    from skimage.metrics import structural_similarity

    compare: Any = structural_similarity
    return float(
        compare(
            reference.astype(np.float64),
            test.astype(np.float64),
            data_range=data_range,
            gaussian_weights=True,
            sigma=SIGMA,
            use_sample_covariance=False,
            # The luminance term is (2 m n + C1) / (m^2 + n^2 + C1): one where C1 is huge.
            K1=0.01 if luminance else 1e10,
        )
    )


METRIC = Metric("ssim", "", "higher", ssim)
