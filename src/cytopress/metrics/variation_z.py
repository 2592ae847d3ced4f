"""Axial variation of a volume relative to the original: flicker, or blur along z."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.image import Pixels
from cytopress.metrics.metric import Metric


def variation_z(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Root-mean-square difference of neighboring planes: the test's over the reference's.

    1 for as much variation from plane to plane as in the original, less for a volume smoothed along
    z. A value above `variation_xy` shows flicker: a codec that codes each plane by itself smooths
    within planes and keeps, or adds, differences between them. After the flicker of video [1]_,
    with planes as frames. The data range is ignored.

    Raises
    ------
    NotAvailableError
        The image is a plane, or planes of the reference do not differ.

    References
    ----------
    .. [1] X. Fan et al., "Measuring and reducing flicker in compressed intra-coded video", IEEE
       International Conference on Image Processing (2002).
    """
    return ratio_of_variation(reference, test, axes=(0,), between="planes")


def ratio_of_variation(
    reference: Pixels, test: Pixels, *, axes: Sequence[int], between: str
) -> float:
    """Return the root-mean-square difference of neighbors along axes, test over reference."""
    before, after = (_variation(image, axes) for image in (reference, test))
    if before == 0:
        raise NotAvailableError(
            f"a variation needs {between} of the reference that differ, but all are equal."
        )
    return after / before


def _variation(image: Pixels, axes: Sequence[int]) -> float:
    squares, count = 0.0, 0
    for axis in axes:
        difference = np.diff(image.astype(np.float64), axis=axis)
        squares += float(np.sum(difference**2))
        count += difference.size
    return float(np.sqrt(squares / max(count, 1)))


METRIC = Metric("variation_z", "", "lower", variation_z, dims=(3,))
