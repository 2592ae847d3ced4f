"""Noise model of a camera, variance = a x (value - offset) + b, and its fit to images.

A camera has shot noise, whose variance grows with the light, and read noise of constant variance.
Images alone determine the line, but not the camera's own offset on it: ``offset`` and ``b`` can
move along the line. By convention ``offset`` is the darkest level of the data, and ``b`` the
variance there; below it the variance stays ``b``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import UsageError
from cytopress.image import Image
from cytopress.metrics.flat_patches import (
    Bins,
    bin_levels,
    flat_variance,
    rounding_variance,
    sample_patches,
)
from cytopress.metrics.noise_faults import find_fault, median_scatter

Floats = npt.NDArray[np.float64]

LEAST_BINS = 4
SIGNIFICANT_DIGITS = 6  # a model is written into coded bytes and specs


@dataclass(frozen=True)
class NoiseModel:
    """Variance of a pixel of expected value ``value``, in counts squared.

    Parameters
    ----------
    a : float
        Variance per count of light: the inverse of the electrons per count. Not negative; 0 means
        one sigma for every level.
    b : float
        Variance at the offset, above 0.
    offset : float
        Level without light, in counts; below it the variance stays ``b``.

    Raises
    ------
    UsageError
        A number that is not finite, ``a`` below 0, or ``b`` not above 0.
    """

    a: float
    b: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite([self.a, self.b, self.offset]).all() and self.a >= 0 and self.b > 0):
            raise UsageError(
                "a noise model needs finite numbers with a not below 0 and b above 0,"
                f" not a={self.a}, b={self.b}, offset={self.offset}."
            )

    def variance(self, values: npt.ArrayLike) -> Floats:
        """Return the variance at each value, in counts squared, of the values' shape."""
        light = np.maximum(np.asarray(values, dtype=np.float64) - self.offset, 0.0)
        return np.asarray(self.a * light + self.b)

    def sigma(self, values: npt.ArrayLike) -> Floats:
        """Return the standard deviation at each value, in counts, of the values' shape."""
        return np.sqrt(self.variance(values))


@dataclass(frozen=True, eq=False)
class NoiseFit:
    """A fitted noise model with its data.

    Parameters
    ----------
    model : NoiseModel
        The line for a good fit, else one sigma for every level.
    good : bool
        Whether the line can be trusted.
    reason : str
        One sentence: how well the line fits, or why it cannot be trusted.
    means, variances : ndarray
        Shape (bins,): level, in counts, and variance, in counts squared, of the flat patches
        that the line was fitted to. Empty with too few.
    """

    model: NoiseModel
    good: bool
    reason: str
    means: Floats
    variances: Floats


def fit_noise(images: Sequence[Image]) -> NoiseFit:
    """Fit a noise model to images of one camera; the more fields, the better.

    Each patch of 8 x 8 pixels gives a level and a variance, that of the residual of a mask which
    removes planes and ramps [1]_. In each bin of levels, the half of the patches that is flattest
    at a coarser scale is kept, and a low quantile of their variances is taken and corrected for
    bias: structure can only add variance. A line is fitted to the bins by least squares with a
    robust loss on relative residuals. It is not trusted if the bins scatter, if it does not rise,
    if the noise of neighboring pixels is correlated (a filter was applied), if the noise is below
    rounding (the bit depth was converted), or if fields disagree. Then one sigma is used for every
    level, the median over bins; with correlated noise it is a lower bound, since the mask detects
    fine noise only.

    Parameters
    ----------
    images : sequence of Image
        At least one, of any size; too small or constant images give rounding noise as the model.

    Returns
    -------
    NoiseFit
        Its numbers are rounded to six significant digits.

    Raises
    ------
    UsageError
        No image is given.

    References
    ----------
    .. [1] J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image
       Understanding 64 (1996) 300.
    """
    if not images:
        raise UsageError("a noise model needs at least one image to be fitted to, not none.")
    floor = max(rounding_variance(image) for image in images)
    patches = sample_patches(images)
    if patches.variance.size == 0:
        return _one_sigma(floor, floor, "the images are too small to show noise.")
    bins = bin_levels(patches)
    if bins.mean.size < LEAST_BINS:
        found = np.median(bins.variance) if bins.mean.size else flat_variance(patches.variance)
        reason = "the images have too few levels of light to fit a line."
        return _one_sigma(float(found), floor, reason, bins)
    model = _line(bins, float(patches.mean.min()), floor)
    fault = find_fault(patches, bins, model.variance)
    if fault:
        return _one_sigma(float(np.median(bins.variance)), floor, fault, bins)
    scatter = median_scatter(bins, model.variance)
    reason = f"half of {bins.mean.size} levels lie within {scatter:.0%} of the line."
    return NoiseFit(model, good=True, reason=reason, means=bins.mean, variances=bins.variance)


def _one_sigma(variance: float, floor: float, reason: str, bins: Bins | None = None) -> NoiseFit:
    none = np.zeros(0)
    return NoiseFit(
        NoiseModel(a=0.0, b=_rounded(max(variance, floor)), offset=0.0),
        good=False,
        reason=f"One sigma for every level: {reason}",
        means=none if bins is None else bins.mean,
        variances=none if bins is None else bins.variance,
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def _line(bins: Bins, darkest: float, floor: float) -> NoiseModel:
    """Fit a line to the bins, with relative residuals, as errors of variances are relative."""
    from scipy.optimize import least_squares

    offset = _rounded(darkest)
    light, variances = bins.mean - offset, bins.variance
    # Start from the median slope of all pairs of bins (Theil-Sen).
    one, other = np.triu_indices(light.size, k=1)
    gap = light[other] - light[one]
    slopes = (variances[other] - variances[one])[gap != 0] / gap[gap != 0]
    a = max(float(np.median(slopes)), 0.0)
    b = float(np.median(variances - a * light))
    # A line through brighter levels may reach zero above the darkest one.
    least = max(float(variances[:3].min()) / 4, floor)
    units = np.array([float(np.ptp(light)), 1.0]) / max(float(np.median(variances)), floor)
    weights = bins.weight / bins.weight.max()
    for _ in range(3):
        expected = np.maximum(a * light + b, least)

        def residuals(line: Floats, expected: Floats = expected) -> Any:
            a, b = line / units
            return weights * (variances - a * light - b) / expected

        bounds = (np.array([0.0, least]) * units, np.inf)
        start = np.array([a, max(b, least)]) * units
        fitted = least_squares(residuals, start, bounds=bounds, loss="soft_l1", f_scale=0.05)
        a, b = (float(number) for number in fitted.x / units)
    return NoiseModel(a=_rounded(a), b=_rounded(b), offset=offset)
