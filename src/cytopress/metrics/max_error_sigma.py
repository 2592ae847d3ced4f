"""Maximum absolute error in units of the noise."""

from __future__ import annotations

import numpy as np

from cytopress.image import Pixels
from cytopress.metrics.metric import NoiseMetric
from cytopress.metrics.noise import NoiseModel


def max_error_sigma(
    reference: Pixels, test: Pixels, _data_range: float = 1.0, *, noise: NoiseModel
) -> float:
    """Largest absolute difference, each divided by the noise at the reference's level.

    The data range is ignored.
    """
    difference = test.astype(np.float64) - reference.astype(np.float64)
    return float(np.max(np.abs(difference) / noise.sigma(reference)))


METRIC = NoiseMetric("max_error_sigma", "sigma", "lower", max_error_sigma)
