"""Mean effect of a setting: its confidence interval, and the test of non-inferiority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.errors import NotAvailableError, UsageError
from cytopress.statistics.bootstrap import MOST_AT_ONCE, Resampling
from cytopress.statistics.inference import Inference, infer
from cytopress.statistics.units import LEAST_UNITS, Floats, ResamplingUnit, UnitSums, sum_by_unit
from cytopress.statistics.variance import variance_of

RESAMPLES = 10_000


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A mean loss with its confidence interval and its p-value against a margin.

    Parameters
    ----------
    mean : float or None
        Of all fields and seeds, in the unit of the losses; None where no field has a value.
    low, high : float or None
        Ends of the two-sided interval; None for a single field.
    p : float or None
        P-value of the null hypothesis that the loss is the margin or more; None without a margin
        and from fewer than `LEAST_UNITS` units.
    unit : {"groups", "fields"}
        What was resampled. Groups let the interval speak for new groups, fields only for new fields
        of these groups.
    n : int
        Number of units.
    fields, missing : int
        Number of fields that the mean is over, and of those left out for lack of a value.
    seeds : int
        Number of trainings. With one, interval and p are about that one training.
    seed_spread : float or None
        Standard deviation of the means of the seeds; None with one seed.
    shared : tuple of (low, high)
        Ends of the intervals of confidence 1 - level / k for k = 1, 2, ...: as of one of k
        sequences of settings that share the level. Empty from fewer than `LEAST_UNITS` units.
    error : float or None
        Standard error of the mean; None for a single unit.
    seed_share : float
        Share of the seeds in the variance of the mean, which more units do not reduce.
    """

    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    unit: ResamplingUnit
    n: int
    fields: int
    missing: int
    seeds: int
    seed_spread: float | None
    shared: tuple[tuple[float, float], ...] = ()
    error: float | None = None
    seed_share: float = 0.0

    @property
    def bound(self) -> float | None:
        """Upper end of the interval: the most that is lost, at the confidence asked.

        A one-sided bound could be a little lower for symmetric losses. Where few fields lose much,
        it would be wrong more often than its level says.
        """
        return self.high


def effects(
    losses: npt.ArrayLike,
    groups: Sequence[str],
    *,
    margin: float | None = None,
    confidence: float = 0.95,
    shared_by: int = 1,
    resamples: int = RESAMPLES,
    seed: int,
) -> list[Effect]:
    """Estimate the mean loss of each setting, and test that it is inside a margin.

    Whole groups, such as strains or days, are resampled where there are at least five, since
    fields of one group resemble each other; else fields are. Training seeds are a second level,
    crossed with the fields. All settings get the same bootstrap replicates.

    At each end, the interval is the wider of two: Student's t interval, with Satterthwaite's
    degrees of freedom where there are seeds [1]_, and the studentized bootstrap interval [2]_,
    expanded for few units [3]_. The first alone misses the mean of skewed losses two to four times
    too often, the second alone that of symmetric losses in few units. The test is the interval's:
    the loss is shown to be inside the margin at level alpha where the interval of confidence
    1 - alpha ends below the margin, as is usual in trials of non-inferiority. A nominal 95 %
    interval covers 94 to 97 % with eight units or more, for losses up to the skewness of an
    exponential distribution, and the test at 5 % is wrong in at most 5.2 %; see docs/statistics.md
    for five units and for heavier tails.

    Parameters
    ----------
    losses : array_like
        Shape (fields, settings) or (fields, seeds, settings): paired differences, positive where
        the setting is worse, NaN where a field has none. A field without one of the seeds of a
        setting is left out of that setting, and counted in ``missing``.
    groups : sequence of str
        The group of each field.
    margin : float, optional
        The smallest loss that would be too much, in the unit of the losses.
    confidence : float, optional
        Of the two-sided interval; between 0 and 1.
    shared_by : int, optional
        Number of sequences of settings that share the level: the length of `Effect.shared`.
    resamples : int, optional
        At least 1. Too few for the confidence leave the interval without ends. The
        smallest p is ``2 / (resamples + 1)``, but 0 where all fields are equal.
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
    if not 0 < confidence < 1 or resamples < 1 or shared_by < 1:
        raise UsageError(
            "a bootstrap needs a confidence between 0 and 1, at least one resample and one"
            f" sequence, not {confidence}, {resamples} and {shared_by}."
        )
    if margin is not None and not np.isfinite(margin):
        raise UsageError(f"a margin is a finite loss, not {margin}.")
    values = _checked(losses, groups)
    resampling = Resampling(resamples=resamples, seed=seed)
    levels = [(1 - confidence) / number for number in range(1, shared_by + 1)]
    absent = np.isnan(values).any(axis=1)
    found: dict[int, Effect] = {}
    patterns, pattern_of = np.unique(absent, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        settings = np.flatnonzero(pattern_of.ravel() == number)
        present = [group for group, lacks in zip(groups, pattern, strict=True) if not lacks]
        at_once = max(1, MOST_AT_ONCE // resamples)
        for start in range(0, settings.size, at_once):
            part = settings[start : start + at_once]
            table = sum_by_unit(values[~pattern][..., part], present)
            some = _of_units(table, margin, levels, resampling, missing=int(pattern.sum()))
            found.update(zip(part.tolist(), some, strict=True))
    return [found[setting] for setting in range(values.shape[2])]


def interval_method(*, seed: int) -> str:
    """Describe the interval of `effects` in one sentence, for reports."""
    return (
        f"Over groups where there are at least {LEAST_UNITS}, else over fields; at each end the"
        " wider one of Student’s t interval and the studentized bootstrap interval of"
        f" {RESAMPLES:,} replicates (seed {seed})."
    )


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
    table: UnitSums,
    margin: float | None,
    levels: Sequence[float],
    resampling: Resampling,
    *,
    missing: int,
) -> list[Effect]:
    """Return the effects of settings that have the same fields."""
    settings = table.sums.shape[2]
    means: Sequence[float | None] = [None] * settings
    spreads: Sequence[float | None] = [None] * settings
    if table.n:
        of_seeds = table.seed_means()
        means = of_seeds.mean(axis=0).tolist()
        if table.seeds > 1:
            spreads = of_seeds.std(axis=0, ddof=1).tolist()
    found = infer(table, margin, levels, resampling) if table.n > 1 else None
    variance = variance_of(table) if table.n > 1 else None
    return [
        Effect(
            mean=means[i],
            low=_end(found.low[0, i]) if found else None,
            high=_end(found.high[0, i]) if found else None,
            p=found.p[i] if found else None,
            unit=table.unit,
            n=table.n,
            fields=int(table.counts.sum()),
            missing=missing,
            seeds=table.seeds,
            seed_spread=spreads[i],
            shared=_shared(found, i) if found and table.n >= LEAST_UNITS else (),
            error=float(variance.error[i]) if variance else None,
            seed_share=float(variance.seed_share[i]) if variance else 0.0,
        )
        for i in range(settings)
    ]


def _end(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _shared(found: Inference, setting: int) -> tuple[tuple[float, float], ...]:
    ends = zip(found.low[:, setting].tolist(), found.high[:, setting].tolist(), strict=True)
    return tuple(ends)
