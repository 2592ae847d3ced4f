"""Resampling units of the bootstrap, whole groups or fields, with their sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

ResamplingUnit = Literal["groups", "fields"]
Floats = npt.NDArray[np.float64]

# Of units: fewer do not show how skewed they are, so nothing is claimed from them; and groups are
# the units only where there are as many.
LEAST_UNITS = 5


@dataclass(frozen=True)
class UnitSums:
    """Sums of values over the fields of each resampling unit.

    Parameters
    ----------
    unit : {"groups", "fields"}
        What a unit is.
    sums : ndarray
        Shape (units, seeds, settings).
    counts : ndarray
        Shape (units,): the number of fields of each.
    """

    unit: ResamplingUnit
    sums: Floats
    counts: Floats

    @property
    def n(self) -> int:
        """Number of units."""
        return self.counts.size

    @property
    def seeds(self) -> int:
        """Number of training seeds."""
        return self.sums.shape[1]

    def seed_means(self) -> Floats:
        """Return the mean over all fields by seed; shape (seeds, settings)."""
        return np.asarray(self.sums.sum(axis=0) / self.counts.sum())

    def deviations(self) -> Floats:
        """Return the sum of each unit minus the mean times its count.

        Shape (units, seeds, settings); the mean is that of the same seed.
        """
        return self.sums - self.counts[:, None, None] * self.seed_means()


def sum_by_unit(values: Floats, groups: Sequence[str]) -> UnitSums:
    """Sum values (fields, seeds, settings) by group; with fewer than five, each field is a unit."""
    names, member_of = np.unique(list(groups), return_inverse=True)
    if names.size < LEAST_UNITS:
        return UnitSums("fields", values, np.ones(values.shape[0]))
    member_of = member_of.ravel()
    sums = np.zeros((names.size, *values.shape[1:]))
    np.add.at(sums, member_of, values)
    return UnitSums("groups", sums, np.bincount(member_of).astype(np.float64))
