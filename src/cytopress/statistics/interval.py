"""Confidence interval of a mean over fields: the plain case of one setting and one seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytopress.errors import UsageError
from cytopress.statistics.effect import RESAMPLES, effects
from cytopress.statistics.units import Floats, ResamplingUnit


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Parameters
    ----------
    mean : float
        Of all fields.
    low, high : float or None
        Ends of the interval; None for a single field.
    unit : {"groups", "fields"}
        What was resampled. Groups let the interval speak for new groups, fields only for new fields
        of these groups.
    n : int
        Number of units.
    """

    mean: float
    low: float | None
    high: float | None
    unit: ResamplingUnit
    n: int


def bootstrap_mean(
    values: Sequence[float] | Floats,
    groups: Sequence[str],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int,
) -> Interval:
    """Estimate a mean over fields, resampling groups, or fields where groups are fewer than five.

    For an effect of compression, ``values`` are paired differences: of each field, the score after
    minus the score before. The method is that of ``effects``: a nominal 95 % interval covers 94
    to 97 % with eight units or more for normal and moderately skewed data, and less with fewer
    units of skewed data.

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
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size != len(groups):
        raise UsageError(
            f"a mean over fields needs a group for each value, not {len(groups)} groups for values"
            f" of shape {array.shape}."
        )
    if not np.isfinite(array).all():
        raise UsageError("a mean over fields needs finite values; leave the other fields out.")
    (found,) = effects(
        array[:, None], groups, confidence=confidence, resamples=resamples, seed=seed
    )
    assert found.mean is not None
    return Interval(found.mean, found.low, found.high, found.unit, found.n)
