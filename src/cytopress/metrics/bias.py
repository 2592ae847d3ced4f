"""Mean signed error: whether the test image is brighter or darker on the whole."""

from __future__ import annotations

import numpy as np

from cytopress.metrics.metric import Metric, Pixels


def bias(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Mean of test minus reference, in counts; the data range does not matter."""
    return float(np.mean(test.astype(np.float64) - reference.astype(np.float64)))


METRIC = Metric("bias", "counts", "lower", bias)
