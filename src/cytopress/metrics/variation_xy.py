"""Lateral variation of a volume relative to the original."""

from __future__ import annotations

from cytopress.image import Pixels
from cytopress.metrics.metric import Metric
from cytopress.metrics.variation_z import ratio_of_variation


def variation_xy(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Root-mean-square difference of neighbors in the plane: the test's over the reference's.

    The lateral counterpart of `variation_z`: 1 for as much variation as in the original, less for
    smoothed planes. The data range is ignored.

    Raises
    ------
    NotAvailableError
        The image is a plane, or all pixels of each of the reference's planes are equal.
    """
    return ratio_of_variation(reference, test, axes=(1, 2), between="neighbors in the plane")


METRIC = Metric("variation_xy", "", "lower", variation_xy, dims=(3,))
