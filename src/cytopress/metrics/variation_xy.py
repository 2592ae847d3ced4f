"""How much a volume changes within its planes, against the original."""

from __future__ import annotations

from cytopress.metrics.metric import Metric, Pixels
from cytopress.metrics.variation_z import ratio_of_variation


def variation_xy(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Root-mean-square difference of neighbors in the plane, of the test over the reference's.

    The counterpart of `variation_z` that it is held against: 1 for as much as in the original, less
    where planes were smoothed. The data range does not matter.

    Raises
    ------
    NotAvailableError
        The image is a plane, or all pixels of each of the reference's planes are equal.
    """
    return ratio_of_variation(reference, test, axes=(1, 2), between="neighbors in the plane")


METRIC = Metric("variation_xy", "", "lower", variation_xy, dims=(3,))
