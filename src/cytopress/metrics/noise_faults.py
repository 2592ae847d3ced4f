"""Checks of a fitted noise model: the faults for which it cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from cytopress.metrics.flat_patches import (
    LEAST_PATCHES,
    QUANTILE,
    Bins,
    Patches,
    flat_variance,
)

Floats = npt.NDArray[np.float64]
Variance = Callable[[Floats], Floats]

LEAST_VARIANCE = 0.25  # in squared steps of grey level
LEAST_GROWTH = 0.05  # of the variance over all levels, relative
WORST_SCATTER = 0.25  # of the bins' variances about the line, relative
WORST_CORRELATION = 1.6  # coarse over fine variance; white noise gives 1
WORST_DISAGREEMENT = 1.5  # one field's variance over the line's, or the reverse


def median_scatter(bins: Bins, expected: Variance) -> float:
    """Weighted median of the bins' deviations from the line, relative to it."""
    off = np.abs(bins.variance / expected(bins.mean) - 1)
    order = np.argsort(off)
    below = np.cumsum(bins.weight[order])
    return float(off[order][np.searchsorted(below, below[-1] / 2)])


def hides_noise(patches: Patches) -> bool:
    """Return whether a filter or rounding hides the camera's noise, so that no sigma is known."""
    rounded = flat_variance(patches.variance) < LEAST_VARIANCE * patches.step**2
    return rounded or _correlation(patches) > WORST_CORRELATION


def find_fault(patches: Patches, bins: Bins, expected: Variance) -> str:
    """Return why the line ``expected`` cannot be trusted; empty if it can."""
    return next(_faults(patches, bins, expected), "")


def _faults(patches: Patches, bins: Bins, expected: Variance) -> Iterator[str]:
    """Yield every fault, the one that explains most first."""
    if np.median(bins.variance) < LEAST_VARIANCE * patches.step**2:
        far = f" (grey levels are {patches.step:g} counts apart)" if patches.step > 1 else ""
        yield f"the noise is below half a grey level, so rounding hides it{far}."
    correlation = _correlation(patches)
    if correlation > WORST_CORRELATION:
        yield (
            f"the noise of neighboring pixels is correlated (coarse noise has {correlation:.1f}"
            f" times the variance of fine noise), so a filter was applied."
        )
    if np.ptp(expected(bins.mean)) < LEAST_GROWTH * np.median(bins.variance):
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
