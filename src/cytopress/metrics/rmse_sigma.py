"""Root-mean-square error in units of the noise."""

from __future__ import annotations

import numpy as np

from cytopress.image import Pixels
from cytopress.metrics.metric import NoiseMetric
from cytopress.metrics.noise import NoiseModel


def rmse_sigma(
    reference: Pixels, test: Pixels, _data_range: float = 1.0, *, noise: NoiseModel
) -> float:
    """RMSE with each difference divided by the noise at the reference's level.

    1 means errors as large as the noise of the reference. ``data_range`` is
    ignored.
    """
    difference = test.astype(np.float64) - reference.astype(np.float64)
    return float(np.sqrt(np.mean(difference**2 / noise.variance(reference))))


METRIC = NoiseMetric("rmse_sigma", "sigma", "lower", rmse_sigma)
