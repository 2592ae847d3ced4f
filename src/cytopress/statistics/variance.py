"""How much a mean varies, by the units and by the seeds it was taken over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytopress.statistics.units import Floats, Units


@dataclass(frozen=True)
class Variance:
    """The variance of a mean by where it comes from.

    Parameters
    ----------
    units, seeds : ndarray
        Shape (settings,): the part of the units that happened to be taken, the interaction of
        units and seeds included, and the part of the seeds alone.
    """

    units: Floats
    seeds: Floats

    @property
    def error(self) -> Floats:
        """Return the standard error of the mean; shape (settings,)."""
        return np.asarray(np.sqrt(self.units + self.seeds))

    def freedom(self, units: int, seeds: int) -> Floats:
        """Return Satterthwaite's degrees of freedom; shape (settings,)."""
        if seeds == 1:
            return np.full(self.units.shape, units - 1.0)
        parts = self.units**2 / (units - 1) + self.seeds**2 / (seeds - 1)
        whole = (self.units + self.seeds) ** 2
        return np.divide(whole, parts, out=np.full_like(whole, units - 1.0), where=parts > 0)

    def in_doubt(self, seeds: int) -> Variance:
        """Return it with the seeds' part taken larger by the variance of that estimate.

        For the shape of the interval alone: where few seeds happen to lie close together, the
        interval would be as short as if there were many.
        """
        doubt = 1 + 2 / (seeds - 1) if seeds > 1 else 1
        return Variance(self.units, doubt * self.seeds)


def variance_of(table: Units) -> Variance:
    """Estimate the variance of the mean of at least two units, crossed with the seeds.

    The mean squares of a two-way layout without replicates; for units of unequal size, of the
    linearized ratio of sums and counts.
    """
    n, seeds = table.n, table.seeds
    deviations = table.deviations() / table.counts.sum()
    of_unit = deviations.mean(axis=1)
    units = n / (n - 1) * np.sum(of_unit**2, axis=0)
    if seeds == 1:
        return Variance(units, np.zeros_like(units))
    between = table.seed_means().var(axis=0, ddof=1) / seeds
    rest = deviations - of_unit[:, None]
    # The seeds' means hold the interaction as well: counted once, with the units.
    shared = n / (n - 1) * np.sum(rest**2, axis=(0, 1)) / (seeds * (seeds - 1))
    return Variance(units, np.maximum(between - shared, 0))
