"""Means over fields with intervals that do not pretend to more than the data hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cytopress.errors import NotAvailableError, UsageError

Unit = Literal["groups", "fields"]
Floats = npt.NDArray[np.float64]

LEAST_GROUPS = 5
MOST_DRAWS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A mean and where it may lie.

    Parameters
    ----------
    mean : float
        Of all fields.
    low, high : float or None
        Ends of the interval; None where one field stands alone.
    unit : {"groups", "fields"}
        What was drawn again: groups speak for new groups, fields only for new fields of these.
    n : int
        How many units there were.
    """

    mean: float
    low: float | None
    high: float | None
    unit: Unit
    n: int


def bootstrap_mean(
    values: Sequence[float] | Floats,
    groups: Sequence[str],
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int,
) -> Interval:
    """Mean over fields with a bootstrap interval over groups, or over fields of few groups.

    For an effect of compression, ``values`` are paired differences: of each field, the score after
    minus the score before. Groups, such as strains or days, are drawn whole where there are at
    least five, since fields of one group resemble each other; else fields are drawn.

    The interval is the expanded percentile interval [1]_: percentiles of the resampled means,
    taken further out so that for normal data it is as wide as Student's. The plain percentile and
    the BCa interval are too narrow for the 5 to 20 groups that a study has (of nominal 95 %
    they cover about 83 % with five), this one covers 91 % with five and 94 % from eight on, less
    where data are skewed. With less than five units it cannot be wider than their range, and
    covers less: 50, 75 and 88 % with two, three and four.

    Parameters
    ----------
    values : sequence of float
        One finite number for each field.
    groups : sequence of str
        The group of each field.
    confidence : float, optional
        Between 0 and 1.
    resamples : int, optional
        At least 1.
    seed : int
        Equal seeds give equal intervals.

    Raises
    ------
    NotAvailableError
        There is no field.
    UsageError
        Values and groups differ in number, a value is not finite, or an option is out of range.

    References
    ----------
    .. [1] T. C. Hesterberg, "What teachers should know about the bootstrap", The American
       Statistician 69 (2015) 371.
    """
    if not 0 < confidence < 1 or resamples < 1:
        raise UsageError(
            "a bootstrap needs a confidence between 0 and 1 and at least one resample, not"
            f" {confidence} and {resamples}."
        )
    sums, counts, unit = _units(np.asarray(values, dtype=np.float64), list(groups))
    mean = float(sums.sum() / counts.sum())
    if sums.size == 1:
        return Interval(mean, None, None, unit, 1)
    means = resampled_means(sums, counts, resamples=resamples, seed=seed)
    tail = _tail(confidence, sums.size)
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(mean, float(low), float(high), unit, sums.size)


def resampled_means(sums: Floats, counts: Floats, *, resamples: int, seed: int) -> Floats:
    """Draw units with replacement, as many as there are, again and again.

    Parameters
    ----------
    sums, counts : ndarray
        Shape (units,): sum of the values of each unit, and how many they are.

    Returns
    -------
    ndarray
        Shape (resamples,): the mean over all values of each draw.
    """
    rng = np.random.default_rng(seed)
    at_once = max(1, MOST_DRAWS_AT_ONCE // sums.size)
    means = []
    for start in range(0, resamples, at_once):
        shape = (min(at_once, resamples - start), sums.size)
        drawn = rng.integers(0, sums.size, shape)
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    return np.concatenate(means)


def _units(values: Floats, groups: list[str]) -> tuple[Floats, Floats, Unit]:
    """Sum and number of the values of each unit that is drawn, and what the units are."""
    if values.ndim != 1 or values.size != len(groups):
        raise UsageError(
            f"a mean over fields needs a group for each value, not {len(groups)} groups for values"
            f" of shape {values.shape}."
        )
    if values.size == 0:
        raise NotAvailableError("there is no field to take a mean over.")
    if not np.isfinite(values).all():
        raise UsageError("a mean over fields needs finite values; leave the other fields out.")
    names, member_of = np.unique(groups, return_inverse=True)
    if names.size < LEAST_GROUPS:
        return values, np.ones_like(values), "fields"
    member_of = member_of.ravel()
    counts = np.bincount(member_of).astype(np.float64)
    sums = np.bincount(member_of, weights=values).astype(np.float64)
    return sums, counts, "groups"


def _tail(confidence: float, units: int) -> float:
    """Share of the resampled means beyond each end of the expanded percentile interval."""
    from scipy.special import ndtr, stdtrit

    students = -stdtrit(units - 1, (1 - confidence) / 2)
    return float(ndtr(-students * np.sqrt(units / (units - 1))))
