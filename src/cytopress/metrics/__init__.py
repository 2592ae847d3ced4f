"""Reference and test to a number: how far apart two images are, and how noisy one is.

Importing this loads numpy only; a metric imports what it needs when it is called.
"""

from cytopress.metrics.metric import Metric, NoiseMetric
from cytopress.metrics.noise import NoiseFit, NoiseModel, fit_noise
from cytopress.metrics.registry import METRICS, available, metric, metric_names

__all__ = [
    "METRICS",
    "Metric",
    "NoiseFit",
    "NoiseMetric",
    "NoiseModel",
    "available",
    "fit_noise",
    "metric",
    "metric_names",
]
