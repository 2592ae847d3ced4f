"""Trainings of codecs that have not ended: how far they are, and how their loss still falls."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cytopress.results.curves import Curve, bare_options
from cytopress.results.number_format import MINUS
from cytopress.study.results import Results, UnfinishedNetwork, UnfinishedTraining

# The slope is that of the last quarter of the losses, of at least so many.
LAST, LEAST = 0.25, 4


@dataclass(frozen=True, kw_only=True)
class LossSlope:
    """Slope of a loss over the last ``steps`` steps, in percent for each thousand steps.

    ``error`` is its standard error, from the scatter about the line.
    """

    percent: float
    error: float
    steps: int


@dataclass(frozen=True, kw_only=True)
class TrainingRow:
    """One rate of a codec in training; ``slope`` is None with fewer than four losses."""

    codec: str
    network: UnfinishedNetwork
    slope: LossSlope | None

    @property
    def text(self) -> str:
        """The slope in words."""
        if not self.network.steps:
            return "not begun"
        if self.network.steps >= self.network.of:
            return "ended"
        if self.slope is None:
            return "too early to tell"
        percent, error = self.slope.percent, self.slope.error
        number = f"{percent:+.2f} ± {error:.2f} %".replace("-", MINUS)
        return f"{number} per 1,000 steps, over the last {self.slope.steps:,}"


def loss_slope(network: UnfinishedNetwork) -> LossSlope | None:
    """Return the slope of a loss by least squares, as a share of its mean there."""
    count = max(LEAST, math.ceil(LAST * len(network.losses)))
    if len(network.losses) < LEAST:
        return None
    steps, losses = np.array(network.losses[-count:], dtype=np.float64).T
    thousands = (steps - steps.mean()) / 1000
    spread = float(np.sum(thousands**2))
    slope = float(np.sum(thousands * losses)) / spread
    rest = losses - losses.mean() - slope * thousands
    error = math.sqrt(float(np.sum(rest**2)) / (count - 2) / spread)
    scale = 100 / float(losses.mean())
    return LossSlope(
        percent=scale * slope, error=abs(scale) * error, steps=int(steps[-1] - steps[0])
    )


def training_rows(results: Results) -> list[TrainingRow]:
    """Return a row for each rate of the codecs that are still in training."""
    return [
        TrainingRow(codec=training.codec, network=network, slope=loss_slope(network))
        for training in results.unfinished
        for network in training.networks
    ]


def in_training(results: Results, curve: Curve) -> UnfinishedTraining | None:
    """Return the training of a curve's codec if it has not ended.

    A learned codec has one package, whatever its options; of others the options choose it.
    """
    learned = curve.codec.startswith("learned/")
    return next(
        (
            one
            for one in results.unfinished
            if one.codec == curve.codec
            and (learned or curve.options in (one.options, bare_options(one.codec, one.options)))
        ),
        None,
    )
