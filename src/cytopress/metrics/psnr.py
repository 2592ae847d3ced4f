"""PSNR: peak signal-to-noise ratio."""

from __future__ import annotations

import math

from cytopress.image import Pixels
from cytopress.metrics.metric import Metric
from cytopress.metrics.rmse import rmse


def psnr(reference: Pixels, test: Pixels, data_range: float) -> float:
    """20 log10 of ``data_range`` over RMSE, in dB; infinite for equal images."""
    error = rmse(reference, test)
    return 20 * math.log10(data_range / error) if error > 0 else math.inf


METRIC = Metric("psnr", "dB", "higher", psnr)
