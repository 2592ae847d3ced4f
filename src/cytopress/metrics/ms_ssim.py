"""Structural similarity over several scales."""

from __future__ import annotations

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.metrics.metric import Metric, Pixels
from cytopress.metrics.ssim import WINDOW, similarity

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SMALLEST = WINDOW * 2 ** (len(WEIGHTS) - 1)


def ms_ssim(reference: Pixels, test: Pixels, data_range: float) -> float:
    """Multi-scale structural similarity [1]_, 0 to 1; of a stack the mean over its planes.

    Five scales, each the mean of 2 x 2 pixels of the one before (an odd last row or column is
    left out); at every scale the window of `ssim`. The terms of contrast and structure are
    weighted products, that of luminance counts at the coarsest scale only. A negative
    term counts as 0. Planes, not volumes: five scales would need 176 planes.

    Raises
    ------
    NotAvailableError
        A plane is smaller than 176 x 176: at the coarsest scale the window would not fit.

    References
    ----------
    .. [1] Z. Wang, E. P. Simoncelli, A. C. Bovik, "Multiscale structural similarity for image
       quality assessment", Asilomar Conference on Signals, Systems and Computers (2003) 1398.
    """
    if min(reference.shape[-2:]) < SMALLEST:
        raise NotAvailableError(
            f"ms_ssim needs planes of at least {SMALLEST} x {SMALLEST} pixels, not"
            f" {reference.shape[-2]} x {reference.shape[-1]}."
        )
    stacks = (image.reshape(-1, *image.shape[-2:]) for image in (reference, test))
    values = [_of_plane(x, y, data_range) for x, y in zip(*stacks, strict=True)]
    return float(np.mean(values))


def _of_plane(x: Pixels, y: Pixels, data_range: float) -> float:
    x, y = x.astype(np.float64), y.astype(np.float64)
    product = 1.0
    for weight in WEIGHTS[:-1]:
        product *= max(similarity(x, y, data_range, luminance=False), 0.0) ** weight
        x, y = _halved(x), _halved(y)
    return float(product * max(similarity(x, y, data_range), 0.0) ** WEIGHTS[-1])


def _halved(plane: Pixels) -> Pixels:
    rows, columns = (length // 2 for length in plane.shape)
    blocks = plane[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
    return np.asarray(blocks.mean(axis=(1, 3)))


METRIC = Metric("ms_ssim", "", "higher", ms_ssim)
