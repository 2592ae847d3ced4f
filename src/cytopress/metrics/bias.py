"""Bias: the mean signed error, positive for a brighter test image."""

from __future__ import annotations

import numpy as np

from cytopress.image import Pixels
from cytopress.metrics.metric import Metric


def bias(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Mean of test minus reference, in counts; the data range is ignored."""
    return float(np.mean(test.astype(np.float64) - reference.astype(np.float64)))


METRIC = Metric("bias", "counts", "lower", bias)
