"""The bootstrap draws: how far a mean of new units and seeds strays, in its own standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytopress.statistics.units import Floats, Units
from cytopress.statistics.variance import Variance

MOST_DRAWS_AT_ONCE = 4_000_000
# A draw of units that are all alike has no spread, and would stray infinitely far in its own.
LEAST_SPREAD = 0.25


@dataclass(frozen=True, kw_only=True)
class Draws:
    """How often and from where the units are drawn.

    Parameters
    ----------
    resamples : int
        At least 1.
    seed : int
        Equal seeds give equal draws, whatever the setting.
    """

    resamples: int
    seed: int


def strays(table: Units, variance: Variance, draws: Draws) -> Floats:
    """Draw units and seeds again and again, and return the studentized errors of their means.

    Units are drawn from the data, with replacement. Their means stray ``sqrt((n - 1) / n)`` too
    little, since the spread within a sample is taken about its own mean, and are expanded by that
    much. Seeds are drawn from a normal law with the variance found between them: three numbers
    have no shape to draw from, and drawn with replacement they would stray a third too little and
    be all the same in every ninth draw.

    Returns
    -------
    ndarray
        Shape (resamples, settings): (mean drawn - mean) / standard error of the draw; the standard
        error is nowhere taken as less than a quarter of that of the data.
    """
    of_unit = table.deviations().mean(axis=1)
    found = np.empty((draws.resamples, of_unit.shape[1]))
    rng = np.random.default_rng(draws.seed)
    at_once = max(1, MOST_DRAWS_AT_ONCE // table.n)
    for start in range(0, draws.resamples, at_once):
        part = slice(start, min(start + at_once, draws.resamples))
        rows = part.stop - part.start
        error, squared = _drawn_units(_times_drawn(rows, table.n, rng), of_unit, table.counts)
        if table.seeds > 1:
            freedom = table.seeds - 1
            error += rng.standard_normal((rows, 1)) * np.sqrt(variance.seeds)
            squared += rng.chisquare(freedom, (rows, 1)) / freedom * variance.seeds
        # All alike in truth too: nothing strays.
        least = np.where(variance.error > 0, LEAST_SPREAD * variance.error, 1)
        found[part] = error / np.maximum(np.sqrt(np.maximum(squared, 0)), least)
    return found


def _times_drawn(rows: int, n: int, rng: np.random.Generator) -> Floats:
    """Draw n of n units with replacement, and count each; shape (rows, n)."""
    drawn = rng.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _drawn_units(times: Floats, of_unit: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return the error of each drawn mean, expanded, and its squared standard error.

    ``times`` has shape (rows, units), ``of_unit`` (units, settings); both results (rows, settings).
    """
    n = counts.size
    size = (times @ counts)[:, None]
    error = (times @ of_unit) / size
    # The sum over the drawn of (deviation - error * count) squared, without an array of them all.
    squares = times @ of_unit**2
    squares -= 2 * error * (times @ (of_unit * counts[:, None]))
    squares += error**2 * (times @ counts**2)[:, None]
    return error * np.sqrt(n / (n - 1)), squares / size**2 * (n / (n - 1))
