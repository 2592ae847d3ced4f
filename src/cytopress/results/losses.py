"""Losses of a task score by field, seed and setting, and its spread over noise replicates."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.results.curves import Point
from cytopress.study.results import Results, ScoreFacts
from cytopress.study.trial import Trial

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Losses:
    """Paired differences of one task score, positive where the decoded image is worse.

    Parameters
    ----------
    values : ndarray
        (fields, seeds, settings) float64, NaN where there is no score.
    original : ndarray
        (fields, seeds) float64: the score from the originals.
    fields, groups : tuple of str
        Names of the fields, and the group of each.
    seeds : tuple of int
        Training seeds.
    """

    values: Floats
    original: Floats
    fields: tuple[str, ...]
    groups: tuple[str, ...]
    seeds: tuple[int, ...]


def losses_of(
    points: Sequence[Point], score: ScoreFacts, *, without: Collection[str] = ()
) -> Losses:
    """Return the losses of these settings on all fields but those ``without``.

    A seed in which no trial has the score, such as one of another task, is left out.
    """
    trials = [t for point in points for t in point.trials if t.field not in without]
    groups = dict.fromkeys((trial.field, trial.group) for trial in trials)
    fields = [field for field, _ in groups]
    base, decoded = f"{score.column}/baseline", f"{score.column}/harm"
    seeds = sorted({trial.seed for trial in trials if base in trial.scores})
    place = {field: number for number, field in enumerate(fields)}
    column = {seed: number for number, seed in enumerate(seeds)}
    values = np.full((len(fields), len(seeds), len(points)), np.nan)
    original = np.full((len(fields), len(seeds)), np.nan)
    sign = 1.0 if score.better == "higher" else -1.0
    for number, point in enumerate(points):
        for trial in point.trials:
            before, after = (trial.scores.get(name, math.nan) for name in (base, decoded))
            if math.isfinite(before) and trial.seed in column and trial.field in place:
                original[place[trial.field], column[trial.seed]] = before
                if math.isfinite(after):
                    loss = sign * (before - after)
                    values[place[trial.field], column[trial.seed], number] = loss
    return Losses(
        values=values,
        original=original,
        fields=tuple(fields),
        groups=tuple(group for _, group in groups),
        seeds=tuple(seeds),
    )


def noise_spread(
    results: Results, dataset: str, score: ScoreFacts, *, without: Collection[str] = ()
) -> float | None:
    """Return the standard deviation of a field's score over noise replicates.

    Root mean square over seeds and fields but those ``without``, in the score's unit; None where no
    field has at least two replicates.
    """
    column = f"{score.column}/harm"
    replicates = _by_field(
        t
        for t in results.noise_replicates
        if t.dataset == dataset and t.field not in without and column in t.scores
    )
    variances = [
        float(np.var([trial.scores[column] for trial in trials], ddof=1))
        for trials in replicates
        if len(trials) > 1
    ]
    return math.sqrt(math.fsum(variances) / len(variances)) if variances else None


def _by_field(trials: Iterable[Trial]) -> list[list[Trial]]:
    found: dict[tuple[str, int], list[Trial]] = defaultdict(list)
    for trial in trials:
        found[trial.field, trial.seed].append(trial)
    return list(found.values())
