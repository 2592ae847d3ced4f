"""Registry of all metrics."""

from __future__ import annotations

from cytopress.errors import UnknownNameError, UsageError
from cytopress.metrics import (
    bias,
    frc_resolution,
    frc_resolution_z,
    lpips,
    max_error,
    max_error_sigma,
    ms_ssim,
    nrmse,
    pearson,
    psnr,
    rmse,
    rmse_sigma,
    ssim,
    variation_xy,
    variation_z,
)
from cytopress.metrics.metric import Metric, NoiseMetric
from cytopress.metrics.noise import NoiseModel

METRICS: dict[str, Metric | NoiseMetric] = {
    entry.METRIC.name: entry.METRIC
    for entry in (
        rmse,
        max_error,
        bias,
        nrmse,
        psnr,
        ssim,
        ms_ssim,
        pearson,
        rmse_sigma,
        max_error_sigma,
        frc_resolution,
        frc_resolution_z,
        variation_xy,
        variation_z,
        lpips,
    )
}


def metric(name: str, *, noise: NoiseModel | None = None) -> Metric:
    """Return the metric of a name.

    Parameters
    ----------
    name : str
        One of `metric_names`.
    noise : NoiseModel, optional
        Noise of the references; needed by metrics in units of sigma only.

    Raises
    ------
    UnknownNameError
        No metric has this name.
    UsageError
        The metric needs a noise model and none is given.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> original = np.zeros((32, 32), np.uint16)
    >>> psnr = cytopress.metric("psnr")
    >>> f"{psnr(original, original + np.uint16(10), data_range=1000):.0f} dB"
    '40 dB'
    """
    if name not in METRICS:
        raise UnknownNameError("metric", name, metric_names())
    entry = METRICS[name]
    if isinstance(entry, Metric):
        return entry
    if noise is None:
        raise UsageError(f"{name} is in units of the noise; give it a noise model.")
    return entry.with_noise(noise)


def metric_names() -> list[str]:
    """Return the names of all metrics, in the order of the table."""
    return list(METRICS)


def available(name: str) -> bool:
    """Return whether a metric can be computed on this machine, for images of sufficient size.

    Raises
    ------
    UnknownNameError
        No metric has this name.
    """
    if name not in METRICS:
        raise UnknownNameError("metric", name, metric_names())
    return name != lpips.METRIC.name or not lpips.why_not_available()
