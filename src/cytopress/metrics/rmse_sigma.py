"""Root-mean-square error in units of the noise."""

from __future__ import annotations

import numpy as np

from cytopress.metrics.metric import NoiseMetric, Pixels
from cytopress.metrics.noise import NoiseModel


def rmse_sigma(
    reference: Pixels, test: Pixels, _data_range: float = 1.0, *, noise: NoiseModel
) -> float:
    """RMSE after each difference is divided by the noise at the reference's level.

    1 means that the errors are as large as the noise already in the picture. ``data_range`` does
    not matter.
    """
    difference = test.astype(np.float64) - reference.astype(np.float64)
    return float(np.sqrt(np.mean(difference**2 / noise.variance(reference))))


METRIC = NoiseMetric("rmse_sigma", "sigma", "lower", rmse_sigma)
