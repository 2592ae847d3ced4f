"""How much a volume changes from plane to plane, against the original: flicker, or blur along z."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.metrics.metric import Metric, Pixels


def variation_z(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Root-mean-square difference of neighboring planes, of the test over that of the reference.

    1 for a volume that changes from plane to plane as much as the original. Below: it is smoothed
    along z. Set against `variation_xy` it shows flicker: a codec that takes each plane by itself
    smooths within planes and keeps, or adds, what differs between them. In the spirit of the
    flicker of video [1]_, with planes for frames. The data range does not matter.

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
