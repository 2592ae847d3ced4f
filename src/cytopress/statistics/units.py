"""The units that a bootstrap draws, whole groups or fields, and what they say of the mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Unit = Literal["groups", "fields"]
Floats = npt.NDArray[np.float64]

LEAST_GROUPS = 5


@dataclass(frozen=True)
class Units:
    """Values added up over the fields of each unit.

    Parameters
    ----------
    unit : {"groups", "fields"}
        What a unit is.
    sums : ndarray
        Shape (units, seeds, settings).
    counts : ndarray
        Shape (units,): how many fields each has.
    """

    unit: Unit
    sums: Floats
    counts: Floats

    @property
    def n(self) -> int:
        """How many units there are."""
        return self.counts.size

    @property
    def seeds(self) -> int:
        """How many trainings each field was seen by."""
        return self.sums.shape[1]

    def seed_means(self) -> Floats:
        """Return the mean over all fields by seed; shape (seeds, settings)."""
        return np.asarray(self.sums.sum(axis=0) / self.counts.sum())

    def deviations(self) -> Floats:
        """Return how far the sum of each unit is from what the mean would give it.

        Shape (units, seeds, settings); against the mean of the same seed.
        """
        return self.sums - self.counts[:, None, None] * self.seed_means()


def units_of(values: Floats, groups: Sequence[str]) -> Units:
    """Add up fields of shape (fields, seeds, settings) by group where groups are at least five."""
    names, member_of = np.unique(list(groups), return_inverse=True)
    if names.size < LEAST_GROUPS:
        return Units("fields", values, np.ones(values.shape[0]))
    member_of = member_of.ravel()
    sums = np.zeros((names.size, *values.shape[1:]))
    np.add.at(sums, member_of, values)
    return Units("groups", sums, np.bincount(member_of).astype(np.float64))
