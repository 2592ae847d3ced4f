"""Whether a task's score falls with the rate: without that, no bytes at equal accuracy exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytopress.results.change import SEED
from cytopress.results.curves import Curve, Point
from cytopress.results.losses import losses_of
from cytopress.statistics import LEAST_UNITS, Effect, effects
from cytopress.study.results import ScoreFacts

FALLS, RISES, FLAT = "falls", "rises somewhere", "not shown to fall"


@dataclass(frozen=True, kw_only=True)
class Course:
    """Course of a score along a curve, from many bytes to few.

    ``steps`` are the paired losses from each setting to the next coarser one, ``whole`` from the
    finest to the coarsest; above zero the score gets worse.
    """

    points: Sequence[Point]
    steps: Sequence[Effect]
    whole: Effect

    @property
    def word(self) -> str:
        """Whether the score falls with the rate.

        It falls if the coarsest setting is shown to be worse than the finest, and no step to a
        coarser setting is shown to be better. Of too few fields nothing is shown.
        """
        if any(_told(step) and step.high is not None and step.high < 0 for step in self.steps):
            return RISES
        shown = _told(self.whole) and self.whole.low is not None and self.whole.low > 0
        return FALLS if shown else FLAT

    @property
    def monotone(self) -> bool:
        """Whether bytes at equal accuracy can be told."""
        return self.word == FALLS


def course(curve: Curve, score: ScoreFacts) -> Course | None:
    """Return the course of a task's score; None with fewer than two settings on every field."""
    points = [
        point
        for point in curve.points
        if point.complete and any(f"{score.column}/harm" in trial.scores for trial in point.trials)
    ]
    if len(points) < 2:
        return None
    lost = losses_of(points, score)
    along = np.diff(lost.values, axis=-1)
    whole = lost.values[..., -1:] - lost.values[..., :1]
    found = effects(np.concatenate([along, whole], axis=-1), lost.groups, seed=SEED)
    return Course(points=points, steps=found[:-1], whole=found[-1])


def _told(effect: Effect) -> bool:
    return effect.n >= LEAST_UNITS
