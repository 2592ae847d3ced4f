"""Confidence interval of a mean, and the p-value of the test that inverts the interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytopress.statistics.bootstrap import Resampling, studentized_replicates
from cytopress.statistics.units import LEAST_UNITS, Floats, UnitSums
from cytopress.statistics.variance import variance_of


@dataclass(frozen=True)
class Inference:
    """Ends of intervals of every setting of a table, and its p-values where one can be given.

    Parameters
    ----------
    low, high : ndarray
        Shape (levels, settings): the ends of the intervals of confidence 1 - level. They are
        infinite where the bootstrap has too few replicates for the level.
    p : sequence of float or None
        One for each setting.
    """

    low: Floats
    high: Floats
    p: Sequence[float | None]


def infer(
    table: UnitSums, margin: float | None, levels: Sequence[float], resampling: Resampling
) -> Inference:
    """Return the intervals at several levels, and the p-value of each setting.

    At each end, the interval is the wider of Student's t interval and the studentized bootstrap
    interval. The test of non-inferiority inverts it: p is the smallest level alpha at which the
    interval of confidence 1 - alpha ends below the margin. Takes at least two units.
    There is no p-value without a margin, and from fewer than `LEAST_UNITS` units, which may agree
    by chance.
    """
    from scipy.special import stdtr

    mean = table.seed_means().mean(axis=0)
    variance = variance_of(table)
    error, shape = variance.error, variance.with_seed_uncertainty(table.seeds)
    freedom = shape.degrees_of_freedom(table.n, table.seeds)
    replicates = studentized_replicates(table, shape, resampling)
    below, above = _half_widths(replicates, freedom, levels)
    # Equal units have no spread, and infinity times 0 is no number.
    spread = error > 0
    low = np.where(spread, mean - np.where(spread, error, 1) * below, mean)
    high = np.where(spread, mean + np.where(spread, error, 1) * above, mean)
    if margin is None or table.n < LEAST_UNITS:
        return Inference(low, high, [None] * mean.size)
    apart = np.divide(mean - margin, error, out=np.zeros_like(mean), where=spread)
    bootstrap = (1 + np.sum(replicates <= apart, axis=0)) / (resampling.resamples + 1)
    p = np.minimum(1, 2 * np.maximum(bootstrap, stdtr(freedom, apart)))
    p = np.where(spread, p, np.where(mean < margin, 0.0, 1.0))
    return Inference(low, high, p.tolist())


def _half_widths(
    replicates: Floats, freedom: Floats, levels: Sequence[float]
) -> tuple[Floats, Floats]:
    """Return how far both ends lie from the mean, in standard errors; shape (levels, settings)."""
    from scipy.special import stdtrit

    last = len(replicates) - 1
    # Order statistics of the replicates, not interpolated quantiles: so p, which counts
    # replicates, and the ends of the interval agree exactly.
    ranks = [int(level / 2 * (last + 2) + 1e-9) - 1 for level in levels]
    needed = {place for rank in ranks if rank >= 0 for place in (rank, last - rank)}
    ordered = np.partition(replicates, sorted(needed), axis=0) if needed else replicates
    below, above = np.full((2, len(levels), replicates.shape[1]), np.inf)
    for number, (level, rank) in enumerate(zip(levels, ranks, strict=True)):
        if rank >= 0:
            student = -stdtrit(freedom, level / 2)
            below[number] = np.maximum(student, ordered[last - rank])
            above[number] = np.maximum(student, -ordered[rank])
    return below, above
