"""What makes a fitted noise model untrustworthy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from cytopress.image import Image
from cytopress.metrics.flat_patches import (
    LEAST_PATCHES,
    QUANTILE,
    Bins,
    Patches,
    flat_variance,
)

Floats = npt.NDArray[np.float64]
Variance = Callable[[Floats], Floats]

LEAST_LEVELS_USED = 0.8
LEAST_VARIANCE = 0.25  # counts squared, of integers
WORST_SCATTER = 0.25  # of the bins' variances about the line, relative
WORST_CORRELATION = 1.6  # coarse over fine variance; white noise gives 1
WORST_DISAGREEMENT = 1.5  # one field's variance over the line's, or the reverse


def median_scatter(bins: Bins, expected: Variance) -> float:
    """Weighted median of how far the bins' variances lie from the line, relative to it."""
    off = np.abs(bins.variance / expected(bins.mean) - 1)
    order = np.argsort(off)
    below = np.cumsum(bins.weight[order])
    return float(off[order][np.searchsorted(below, below[-1] / 2)])


def find_fault(images: Sequence[Image], patches: Patches, bins: Bins, expected: Variance) -> str:
    """Say why the line ``expected`` cannot be trusted; empty where it can."""
    integer = all(image.dtype.kind == "u" for image in images)
    return next(_faults(patches, bins, expected, integer=integer), "")


def _faults(patches: Patches, bins: Bins, expected: Variance, *, integer: bool) -> Iterator[str]:
    """Every fault, the one that explains most first."""
    if patches.levels_used < LEAST_LEVELS_USED:
        yield (
            f"only {patches.levels_used:.0%} of the grey levels occur, so the values were"
            " stretched after the camera."
        )
    if integer and np.median(bins.variance) < LEAST_VARIANCE:
        yield "the noise is below half a count, so rounding hides it."
    correlation = _correlation(patches)
    if correlation > WORST_CORRELATION:
        yield (
            f"the noise of neighboring pixels is not independent (coarse grain holds"
            f" {correlation:.1f} times the variance of fine grain), so a filter was applied."
        )
    if np.ptp(expected(bins.mean)) == 0:
        yield "the variance does not grow with the light."
    scatter = median_scatter(bins, expected)
    if scatter > WORST_SCATTER:
        yield f"the variances scatter by {scatter:.0%} about the line (median)."
    ratios = _field_ratios(patches, expected)
    worst = float(np.max(np.maximum(ratios, 1 / np.maximum(ratios, 1e-9)), initial=1.0))
    if worst > WORST_DISAGREEMENT:
        yield f"fields disagree: in one the variance is {worst:.1f} times off the line."


def _correlation(patches: Patches) -> float:
    flat = patches.unevenness <= np.quantile(patches.unevenness, QUANTILE)
    fine = float(np.median(patches.variance[flat]))
    return float(np.median(patches.coarse_variance[flat])) / fine if fine > 0 else np.inf


def _field_ratios(patches: Patches, expected: Variance) -> Floats:
    relative = patches.variance / expected(patches.mean)
    fields = [relative[patches.field == number] for number in np.unique(patches.field)]
    return np.array([flat_variance(one) for one in fields if one.size >= 8 * LEAST_PATCHES])
