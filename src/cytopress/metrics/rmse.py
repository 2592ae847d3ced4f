"""RMSE: root-mean-square error."""

from __future__ import annotations

import numpy as np

from cytopress.image import Pixels
from cytopress.metrics.metric import Metric


def rmse(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Root of the mean squared difference, in counts; the data range is ignored."""
    difference = test.astype(np.float64) - reference.astype(np.float64)
    return float(np.sqrt(np.mean(difference**2)))


METRIC = Metric("rmse", "counts", "lower", rmse)
