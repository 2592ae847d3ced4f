"""Studentized bootstrap replicates of the mean over units and seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytopress.statistics.units import Floats, UnitSums
from cytopress.statistics.variance import Variance

# Numbers in an array: bounds memory.
MOST_AT_ONCE = 4_000_000
# Least standard error of a replicate, as a fraction of that of the data. A replicate of equal units
# has a standard error of 0, and its studentized error would be infinite.
LEAST_STANDARD_ERROR = 0.25


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """How many bootstrap replicates are drawn, and from which random numbers.

    Parameters
    ----------
    resamples : int
        At least 1.
    seed : int
        Equal seeds give equal replicates, whatever the setting.
    """

    resamples: int
    seed: int


def studentized_replicates(table: UnitSums, variance: Variance, resampling: Resampling) -> Floats:
    """Resample units and seeds, and return the studentized errors of the replicates' means.

    Units are drawn from the data with replacement. The standard deviation of the means of such
    replicates is too small by a factor of ``sqrt((n - 1) / n)``, since a sample spreads less about
    its own mean than about the population's; the errors are multiplied by the inverse. Seeds are
    drawn from a normal distribution with the variance found between them. Three seeds are too few
    to resample: their variance would be a third too small, and one replicate in nine would hold
    one seed three times.

    Returns
    -------
    ndarray
        Shape (resamples, settings): (replicate's mean - mean) / standard error of the replicate.
        The standard error is taken as at least a quarter of that of the data.
    """
    deviations = table.deviations().mean(axis=1)
    found = np.empty((resampling.resamples, deviations.shape[1]))
    rng = np.random.default_rng(resampling.seed)
    at_once = max(1, MOST_AT_ONCE // table.n)
    for start in range(0, resampling.resamples, at_once):
        part = slice(start, min(start + at_once, resampling.resamples))
        rows = part.stop - part.start
        times = _times_drawn(rows, table.n, rng)
        error, squared = _errors_of_units(times, deviations, table.counts)
        if table.seeds > 1:
            freedom = table.seeds - 1
            error += rng.standard_normal((rows, 1)) * np.sqrt(variance.seeds)
            squared += rng.chisquare(freedom, (rows, 1)) / freedom * variance.seeds
        # Where all units of the data are equal, every error is 0 and any divisor will do.
        least = np.where(variance.error > 0, LEAST_STANDARD_ERROR * variance.error, 1)
        found[part] = error / np.maximum(np.sqrt(np.maximum(squared, 0)), least)
    return found


def _times_drawn(rows: int, n: int, rng: np.random.Generator) -> Floats:
    """Draw n of n units with replacement, and count each; shape (rows, n)."""
    drawn = rng.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _errors_of_units(times: Floats, deviations: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return the error of each replicate's mean, expanded, and its squared standard error.

    ``times`` has shape (rows, units), ``deviations`` (units, settings); both results (rows,
    settings).
    """
    n = counts.size
    size = (times @ counts)[:, None]
    error = (times @ deviations) / size
    # The sum over the drawn of (deviation - error * count) squared, without an array of them all.
    squares = times @ deviations**2
    squares -= 2 * error * (times @ (deviations * counts[:, None]))
    squares += error**2 * (times @ counts**2)[:, None]
    return error * np.sqrt(n / (n - 1)), squares / size**2 * (n / (n - 1))
