"""Confidence interval of a mean, and the p-value of the test that inverts the interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytopress.statistics.bootstrap import Resampling, studentized_replicates
from cytopress.statistics.units import LEAST_UNITS, UnitSums
from cytopress.statistics.variance import variance_of


def interval_and_p(
    table: UnitSums, margin: float | None, confidence: float, resampling: Resampling
) -> tuple[list[float], list[float], Sequence[float | None]]:
    """Return both ends of each setting's interval, and its p-value where one can be given.

    At each end, the interval is the wider of Student's t interval and the studentized bootstrap
    interval. The test of non-inferiority inverts it: p is the smallest level alpha at which the
    interval of confidence 1 - alpha ends below the margin. Takes at least two units.
    There is no p-value without a margin, and from fewer than `LEAST_UNITS` units, which may agree
    by chance.
    """
    from scipy.special import stdtr, stdtrit

    mean = table.seed_means().mean(axis=0)
    variance = variance_of(table)
    error, shape = variance.error, variance.with_seed_uncertainty(table.seeds)
    freedom = shape.degrees_of_freedom(table.n, table.seeds)
    replicates = studentized_replicates(table, shape, resampling)
    tail = (1 - confidence) / 2
    # An order statistic of the replicates, not an interpolated quantile: so p, which counts
    # replicates, and the ends of the interval agree exactly.
    rank = max(0, int(tail * (resampling.resamples + 1) + 1e-9) - 1)
    ordered = np.partition(replicates, [rank, resampling.resamples - 1 - rank], axis=0)
    student = -stdtrit(freedom, tail)
    low = mean - error * np.maximum(student, ordered[resampling.resamples - 1 - rank])
    high = mean + error * np.maximum(student, -ordered[rank])
    if margin is None or table.n < LEAST_UNITS:
        return low.tolist(), high.tolist(), [None] * mean.size
    apart = np.divide(mean - margin, error, out=np.zeros_like(mean), where=error > 0)
    bootstrap = (1 + np.sum(replicates <= apart, axis=0)) / (resampling.resamples + 1)
    p = np.minimum(1, 2 * np.maximum(bootstrap, stdtr(freedom, apart)))
    p = np.where(error > 0, p, np.where(mean < margin, 0.0, 1.0))
    return low.tolist(), high.tolist(), p.tolist()
