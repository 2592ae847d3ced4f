"""Recovery: how much of a compression loss training on compressed images wins back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.figures import count_text
from cytopress.results.number_format import label_text
from cytopress.results.recommendation.amounts import figure_text
from cytopress.results.train_test_matrix import MIXED, ORIGINALS, Matrix
from cytopress.statistics import LEAST_UNITS, Effect, effects

SEED = 0
TRAINING = {"matched": "on the same codec and rate (matched)", "mixed": "on a mixture (mixed)"}


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Recovery by one training regime, mean over ``settings`` codec settings.

    ``loss`` is the loss on decoded images of models trained on originals; ``gain`` is how much
    better models of the regime score on the same images. Both are paired over fields and seeds.
    """

    regime: str
    settings: int
    loss: Effect
    gain: Effect

    @property
    def share(self) -> float | None:
        """Gain over loss; None where the interval of either reaches zero, or units are too few."""
        loss, gain = self.loss, self.gain
        if not (_above_zero(loss) and _above_zero(gain) and loss.mean and gain.mean):
            return None
        return gain.mean / loss.mean


def recoveries(matrix: Matrix) -> list[Recovery]:
    """Return the recovery by ``matched`` and by ``mixed`` training, where there is any."""
    matched = [row for row, column in matrix.matched if row == column != ORIGINALS]
    settings = matched or [column for column in matrix.columns if column != ORIGINALS]
    regimes = ["matched"] * bool(matched) + ["mixed"] * (MIXED in matrix.rows)
    found = [_recovery(matrix, regime, settings) for regime in regimes]
    return [one for one in found if one is not None]


def recovery_text(found: list[Recovery], matrix: Matrix) -> str:
    """Describe recoveries in sentences that claim no more than the intervals show."""
    if not found:
        return ""
    first, score = found[0], matrix.score
    unit = f" {score.unit}" if score.unit else ""
    lost = (
        f"On images from {count_text(first.settings, 'codec setting')}, models trained on originals"
        f" lose {_signed(first.loss.mean)}{unit} of {label_text(score.name)}"
        f" {_interval(first.loss)}."
    )
    won = [f"Trained {TRAINING[one.regime]}, they win back {_gain_text(one)}." for one in found]
    return " ".join([lost, *won])


def _gain_text(one: Recovery) -> str:
    gain = f"{_signed(one.gain.mean)} {_interval(one.gain)}"
    if one.share is not None:
        return f"{gain}, {100 * one.share:.0f} % of that"
    if one.gain.low is None or one.gain.high is None:
        return gain
    if one.gain.n < LEAST_UNITS:
        return f"{gain}: {one.gain.n} {one.gain.unit} are too few to show it"
    if one.gain.high < 0:
        return f"nothing: they score worse, {gain}"
    if one.gain.low <= 0:
        return f"{gain}: whether it is a gain is not shown"
    return f"{gain}; what share that is cannot be said, since what was lost is not told from zero"


def _recovery(matrix: Matrix, regime: str, settings: list[str]) -> Recovery | None:
    rows = settings if regime == "matched" else [MIXED] * len(settings)
    fields = list(matrix.groups)
    seeds = _seeds(matrix, ORIGINALS, settings) & _seeds(matrix, rows[0], settings)
    if not seeds:
        return None

    def table(row: str, column: str) -> npt.NDArray[np.float64]:
        values = matrix.values.get((row, column), {})
        return np.array([[values.get((f, s), math.nan) for s in sorted(seeds)] for f in fields])

    sign = 1.0 if matrix.score.better == "higher" else -1.0
    before = table(ORIGINALS, ORIGINALS)
    raw = [table(ORIGINALS, setting) for setting in settings]
    aware = [table(row, setting) for row, setting in zip(rows, settings, strict=True)]
    loss = np.mean([sign * (before - one) for one in raw], axis=0)
    gain = np.mean([sign * (after - one) for after, one in zip(aware, raw, strict=True)], axis=0)
    of_loss, of_gain = effects(
        np.stack([loss, gain], axis=-1), list(matrix.groups.values()), seed=SEED
    )
    return Recovery(regime=regime, settings=len(settings), loss=of_loss, gain=of_gain)


def _seeds(matrix: Matrix, row: str, settings: list[str]) -> set[int]:
    return {seed for one in settings for _, seed in matrix.values.get((row, one), {})}


def _above_zero(effect: Effect) -> bool:
    return effect.low is not None and effect.low > 0 and effect.n >= LEAST_UNITS


def _signed(value: float | None) -> str:
    return "–" if value is None else figure_text(value).replace("-", "−")


def _interval(effect: Effect) -> str:
    if effect.low is None:
        return "(no interval: one field)"
    return f"(95 % interval {_signed(effect.low)} to {_signed(effect.high)})"
