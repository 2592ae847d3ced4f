"""Largest error of any pixel in units of the noise."""

from __future__ import annotations

import numpy as np

from cytopress.metrics.metric import NoiseMetric, Pixels
from cytopress.metrics.noise import NoiseModel


def max_error_sigma(
    reference: Pixels, test: Pixels, _data_range: float = 1.0, *, noise: NoiseModel
) -> float:
    """Largest absolute difference over the noise at the reference's level.

    The data range does not matter.
    """
    difference = test.astype(np.float64) - reference.astype(np.float64)
    return float(np.max(np.abs(difference) / noise.sigma(reference)))


METRIC = NoiseMetric("max_error_sigma", "sigma", "lower", max_error_sigma)
