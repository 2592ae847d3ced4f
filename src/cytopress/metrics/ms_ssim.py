"""MS-SSIM: multi-scale structural similarity."""

from __future__ import annotations

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.image import Pixels
from cytopress.metrics.metric import Metric
from cytopress.metrics.ssim import WINDOW, similarity

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SMALLEST = WINDOW * 2 ** (len(WEIGHTS) - 1)


def ms_ssim(reference: Pixels, test: Pixels, data_range: float) -> float:
    """Multi-scale structural similarity [1]_, 0 to 1; for a stack the mean over its planes.

    There are five scales, each made of means of 2 x 2 pixels of the finer one (an odd last row or
    column is left out), all with the window of `ssim`. The contrast and structure terms of all
    scales are multiplied with the luminance term of the coarsest, with exponents as weights; a
    negative term counts as 0. Planes are compared, not volumes: five scales would need 176 planes.

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
    # The finest scale is that of `ssim`, which has measured a plane as it is.
    product = 1.0
    for weight in WEIGHTS[:-1]:
        product *= max(similarity(x, y, data_range, luminance=False), 0.0) ** weight
        x, y = _halved(x), _halved(y)
    return float(product * max(similarity(x, y, data_range), 0.0) ** WEIGHTS[-1])


def _halved(plane: Pixels) -> Pixels:
    rows, columns = (length // 2 * 2 for length in plane.shape)
    even = np.asarray(plane[:rows, :columns], np.float64)
    upper = even[::2, ::2] + even[::2, 1::2]
    halved: Pixels = (upper + (even[1::2, ::2] + even[1::2, 1::2])) / 4
    return halved


METRIC = Metric("ms_ssim", "", "higher", ms_ssim)
