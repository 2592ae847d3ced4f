"""The interval of a mean, and the test that it is inside a margin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytopress.statistics.bootstrap import Draws, strays
from cytopress.statistics.units import Units
from cytopress.statistics.variance import variance_of


def interval_and_p(
    table: Units, margin: float | None, confidence: float, draws: Draws
) -> tuple[list[float], list[float], Sequence[float | None]]:
    """Return both ends of each setting's interval, and its p where there is a margin.

    At each end the wider of Student's interval and the studentized bootstrap's; the test is the
    interval's own. Takes at least two units.
    """
    from scipy.special import stdtr, stdtrit

    mean = table.seed_means().mean(axis=0)
    variance = variance_of(table)
    error, in_doubt = variance.error, variance.in_doubt(table.seeds)
    freedom = in_doubt.freedom(table.n, table.seeds)
    stray = strays(table, in_doubt, draws)
    tail = (1 - confidence) / 2
    # The draw whose rank is that share of all: then p and the ends of the interval agree exactly.
    rank = max(0, int(tail * (draws.resamples + 1) + 1e-9) - 1)
    ordered = np.partition(stray, [rank, draws.resamples - 1 - rank], axis=0)
    students = -stdtrit(freedom, tail)
    low = mean - error * np.maximum(students, ordered[draws.resamples - 1 - rank])
    high = mean + error * np.maximum(students, -ordered[rank])
    if margin is None:
        return low.tolist(), high.tolist(), [None] * mean.size
    apart = np.divide(mean - margin, error, out=np.zeros_like(mean), where=error > 0)
    drawn = (1 + np.sum(stray <= apart, axis=0)) / (draws.resamples + 1)
    p = np.minimum(1, 2 * np.maximum(drawn, stdtr(freedom, apart)))
    p = np.where(error > 0, p, np.where(mean < margin, 0.0, 1.0))
    return low.tolist(), high.tolist(), p.tolist()
