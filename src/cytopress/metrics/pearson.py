"""Pearson correlation."""

from __future__ import annotations

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.metrics.metric import Metric, Pixels


def pearson(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Correlation of the pixels' values, -1 to 1; the data range does not matter.

    Raises
    ------
    NotAvailableError
        One of the images is constant: nothing can correlate with it.
    """
    for role, pixels in (("reference", reference), ("test", test)):
        if pixels.min() == pixels.max():
            raise NotAvailableError(f"pearson needs images that vary, but the {role} is constant.")
    x = reference.astype(np.float64).ravel()
    y = test.astype(np.float64).ravel()
    x, y = x - x.mean(), y - y.mean()
    # Scaled first: squares of small floats vanish.
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    # Not x @ y: its last digits depend on how many threads the linear algebra library has.
    xy, xx, yy = (float(np.sum(product)) for product in (x * y, x * x, y * y))
    return float(np.clip(xy / np.sqrt(xx * yy), -1.0, 1.0))


METRIC = Metric("pearson", "", "higher", pearson)
