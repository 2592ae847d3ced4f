"""Maximum absolute error."""

from __future__ import annotations

import numpy as np

from cytopress.image import Pixels
from cytopress.metrics.metric import Metric


def max_error(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Largest absolute difference, in counts; the data range is ignored."""
    return float(np.max(np.abs(test.astype(np.float64) - reference.astype(np.float64))))


METRIC = Metric("max_error", "counts", "lower", max_error)
