"""What a setting loses on average: its interval, and whether it stays inside a margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.errors import NotAvailableError, UsageError
from cytopress.statistics.bootstrap import MOST_DRAWS_AT_ONCE, Draws
from cytopress.statistics.inference import interval_and_p
from cytopress.statistics.units import Floats, Unit, Units, units_of


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A mean loss, where it may lie, and how sure it is to be inside a margin.

    Parameters
    ----------
    mean : float or None
        Of all fields and seeds, in the unit of the losses; None where no field has a value.
    low, high : float or None
        Ends of the two-sided interval; None where one field stands alone.
    p : float or None
        Of the null hypothesis that the loss is the margin or more; None without a margin or
        without an interval.
    unit : {"groups", "fields"}
        What was drawn again: groups speak for new groups, fields only for new fields of these.
    n : int
        How many units there were.
    fields, missing : int
        How many fields the mean is over, and how many lack a value and were left out.
    seeds : int
        How many trainings there were. With one, interval and p are about that one training.
    seed_spread : float or None
        Standard deviation of the means of the seeds; None with one seed.
    """

    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    unit: Unit
    n: int
    fields: int
    missing: int
    seeds: int
    seed_spread: float | None

    @property
    def bound(self) -> float | None:
        """The most that is lost, at the confidence asked: the upper end of the interval.

        A one-sided bound could lie a little lower where losses are spread evenly. Where few
        fields lose much it would then be wrong more often than it says.
        """
        return self.high


def effects(
    losses: npt.ArrayLike,
    groups: Sequence[str],
    *,
    margin: float | None = None,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int,
) -> list[Effect]:
    """Mean loss of each setting with its interval, and the test that it is inside a margin.

    Groups, such as strains or days, are drawn whole where there are at least five, since fields
    of one group resemble each other; else fields are drawn. Training seeds are crossed with the
    fields, and a second level. All settings get the same draws.

    The interval is the wider, at each end, of two: Student's, with Satterthwaite's degrees of
    freedom where there are seeds [1]_, and the studentized bootstrap interval [2]_, expanded for
    few units [3]_. The first alone misses a skewed mean two to four times too often, the second
    alone an even one that few units make. The test is that of the interval: the loss is shown to
    be inside the margin at level alpha where the interval of confidence 1 - alpha ends below it,
    as is usual in trials of non-inferiority. Of nominal 95 % the interval covers 94 to 97 % with
    eight units or more, where losses are as skewed as an exponential law or less, and the test
    at 5 % is wrong in 5.2 % at most; see docs/statistics.md for five units, and for worse tails.

    Parameters
    ----------
    losses : array_like
        Shape (fields, settings) or (fields, seeds, settings): paired differences, positive where
        the setting is worse, NaN where a field has none. A field that lacks one seed of a setting
        is left out of that setting, and counted in ``missing``.
    groups : sequence of str
        The group of each field.
    margin : float, optional
        The loss that would be too much, in the unit of the losses.
    confidence : float, optional
        Of the two-sided interval; between 0 and 1.
    resamples : int, optional
        At least 1. The smallest p is ``2 / (resamples + 1)``, but 0 where all fields are equal.
    seed : int
        Equal seeds give equal results.

    Returns
    -------
    list of Effect
        One for each setting, in their order.

    Raises
    ------
    NotAvailableError
        There is no field.
    UsageError
        Losses and groups differ in number, a loss is infinite, or an option is out of range.

    References
    ----------
    .. [1] F. E. Satterthwaite, "An approximate distribution of estimates of variance
       components", Biometrics Bulletin 2 (1946) 110.
    .. [2] B. Efron and R. J. Tibshirani, "An introduction to the bootstrap" (1993), chapter 12.5.
    .. [3] T. C. Hesterberg, "What teachers should know about the bootstrap", The American
       Statistician 69 (2015) 371.
    """
    if not 0 < confidence < 1 or resamples < 1:
        raise UsageError(
            "a bootstrap needs a confidence between 0 and 1 and at least one resample, not"
            f" {confidence} and {resamples}."
        )
    if margin is not None and not np.isfinite(margin):
        raise UsageError(f"a margin is a finite loss, not {margin}.")
    values = _checked(losses, groups)
    draws = Draws(resamples=resamples, seed=seed)
    absent = np.isnan(values).any(axis=1)
    found: dict[int, Effect] = {}
    patterns, pattern_of = np.unique(absent, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        settings = np.flatnonzero(pattern_of.ravel() == number)
        present = [group for group, lacks in zip(groups, pattern, strict=True) if not lacks]
        at_once = max(1, MOST_DRAWS_AT_ONCE // resamples)
        for start in range(0, settings.size, at_once):
            part = settings[start : start + at_once]
            table = units_of(values[~pattern][..., part], present)
            some = _of_units(table, margin, confidence, draws, missing=int(pattern.sum()))
            found.update(zip(part.tolist(), some, strict=True))
    return [found[setting] for setting in range(values.shape[2])]


def _checked(losses: npt.ArrayLike, groups: Sequence[str]) -> Floats:
    """Losses as an array of shape (fields, seeds, settings)."""
    values = np.asarray(losses, dtype=np.float64)
    if values.ndim == 2:
        values = values[:, None]
    if values.ndim != 3 or values.shape[0] != len(groups) or values.shape[1] == 0:
        raise UsageError(
            "losses need the shape (fields, settings) or (fields, seeds, settings) and a group for"
            f" each field, not {len(groups)} groups for losses of shape {np.shape(losses)}."
        )
    if values.shape[0] == 0:
        raise NotAvailableError("there is no field to take a mean over.")
    if np.isinf(values).any():
        raise UsageError("losses need finite values, and NaN where a field has none.")
    return values


def _of_units(
    table: Units, margin: float | None, confidence: float, draws: Draws, *, missing: int
) -> list[Effect]:
    """Return the effects of settings that have the same fields."""
    settings = table.sums.shape[2]
    nothing: list[None] = [None] * settings
    means: Sequence[float | None] = nothing
    spreads: Sequence[float | None] = nothing
    low: Sequence[float | None] = nothing
    high: Sequence[float | None] = nothing
    p: Sequence[float | None] = nothing
    if table.n:
        of_seeds = table.seed_means()
        means = of_seeds.mean(axis=0).tolist()
        if table.seeds > 1:
            spreads = of_seeds.std(axis=0, ddof=1).tolist()
    if table.n > 1:
        low, high, p = interval_and_p(table, margin, confidence, draws)
    return [
        Effect(
            mean=means[i],
            low=low[i],
            high=high[i],
            p=p[i],
            unit=table.unit,
            n=table.n,
            fields=int(table.counts.sum()),
            missing=missing,
            seeds=table.seeds,
            seed_spread=spreads[i],
        )
        for i in range(settings)
    ]
