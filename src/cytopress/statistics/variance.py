"""Variance components of a mean: its units and its training seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytopress.statistics.units import Floats, UnitSums


@dataclass(frozen=True)
class Variance:
    """The two components of the variance of a mean.

    Parameters
    ----------
    units, seeds : ndarray
        Shape (settings,): the component of the units, which includes their interaction with the
        seeds, and the component of the seeds alone.
    """

    units: Floats
    seeds: Floats

    @property
    def error(self) -> Floats:
        """Return the standard error of the mean; shape (settings,)."""
        return np.asarray(np.sqrt(self.units + self.seeds))

    @property
    def seed_share(self) -> Floats:
        """Return the share of the seeds in the whole; 0 where there is no variance."""
        whole = self.units + self.seeds
        return np.divide(self.seeds, whole, out=np.zeros_like(whole), where=whole > 0)

    def degrees_of_freedom(self, units: int, seeds: int) -> Floats:
        """Return Satterthwaite's degrees of freedom; shape (settings,)."""
        if seeds == 1:
            return np.full(self.units.shape, units - 1.0)
        parts = self.units**2 / (units - 1) + self.seeds**2 / (seeds - 1)
        whole = (self.units + self.seeds) ** 2
        return np.divide(whole, parts, out=np.full_like(whole, units - 1.0), where=parts > 0)

    def with_seed_uncertainty(self, seeds: int) -> Variance:
        """Return a copy whose seed component is larger by its own estimated relative variance.

        For the shape of the interval, not for the standard error: where few seeds happen to lie
        close together, the interval would be as short as if there were many.
        """
        factor = 1 + 2 / (seeds - 1) if seeds > 1 else 1
        return Variance(self.units, factor * self.seeds)


def variance_of(table: UnitSums) -> Variance:
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
    # The variance between seeds holds the interaction too, which counts once, with the units.
    shared = n / (n - 1) * np.sum(rest**2, axis=(0, 1)) / (seeds * (seeds - 1))
    return Variance(units, np.maximum(between - shared, 0))
