"""NRMSE: root-mean-square error divided by the data range."""

from __future__ import annotations

from cytopress.image import Pixels
from cytopress.metrics.metric import Metric
from cytopress.metrics.rmse import rmse


def nrmse(reference: Pixels, test: Pixels, data_range: float) -> float:
    """RMSE over ``data_range``, without unit."""
    return rmse(reference, test) / data_range


METRIC = Metric("nrmse", "", "lower", nrmse)
