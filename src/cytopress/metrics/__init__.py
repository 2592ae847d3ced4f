"""Full-reference image metrics, and the noise model of a camera.

Importing this loads numpy only; a metric imports other libraries when it is called.
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
