"""Pearson correlation coefficient."""

from __future__ import annotations

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.image import Pixels
from cytopress.metrics.metric import Metric


def pearson(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Correlation of the pixels' values, -1 to 1; the data range is ignored.

    Raises
    ------
    NotAvailableError
        One of the images is constant: the correlation is not defined.
    """
    for role, pixels in (("reference", reference), ("test", test)):
        if pixels.min() == pixels.max():
            raise NotAvailableError(f"pearson needs images that vary, but the {role} is constant.")
    x = reference.astype(np.float64).ravel()
    y = test.astype(np.float64).ravel()
    x, y = x - x.mean(), y - y.mean()
    # Scaled first: squares of small floats underflow.
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    # Not x @ y: its last digits depend on the number of threads.
    xy, xx, yy = (float(np.sum(product)) for product in (x * y, x * x, y * y))
    return float(np.clip(xy / np.sqrt(xx * yy), -1.0, 1.0))


METRIC = Metric("pearson", "", "higher", pearson)
