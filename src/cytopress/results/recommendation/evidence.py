"""Evidence of a recommendation: the losses on the fields where something can get lost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.figures import count_text
from cytopress.results.counted import Counted, counted
from cytopress.results.dataset_summary import DatasetSummary
from cytopress.results.floor import contrasts, fields_at_floor, judged_scores
from cytopress.results.losses import Floats, Losses, losses_of, noise_spread
from cytopress.results.number_format import label_text
from cytopress.study.results import Results, ScoreFacts

# Rounding alone moves a score by as much, whatever the image.
LEAST_SPREAD = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What a study measured of one score on one dataset.

    Parameters
    ----------
    losses : Losses
        On all fields but those at the floor.
    at_floor : frozenset of str
        The other fields: nothing was found there that could get lost (see `fields_at_floor`).
    noise : float or None
        Spread of the score over noise replicates, in its unit.
    contrasts : tuple of float
        What share of the light is signal in each field, as far as it was measured.
    of_seeds : ndarray
        (seeds,) mean score from the originals.
    """

    losses: Losses
    at_floor: frozenset[str]
    noise: float | None
    contrasts: tuple[float, ...]
    of_seeds: Floats

    @property
    def original(self) -> float:
        """Mean score from the originals; NaN where there is none."""
        return float(self.of_seeds.mean()) if self.of_seeds.size else math.nan

    @property
    def seed_spread(self) -> float | None:
        """Standard deviation of that mean over training seeds; None with one seed."""
        return float(self.of_seeds.std(ddof=1)) if self.of_seeds.size > 1 else None


def evidence_of(results: Results, summary: DatasetSummary, score: ScoreFacts) -> Evidence:
    """Collect the evidence.

    Raises
    ------
    NotAvailableError
        No codec can make the score worse, or the image does not change it: everything would be
        safe.
    """
    points = [point for curve in summary.curves for point in curve.points]
    trials = [trial for point in points for trial in point.trials]
    at_floor = fields_at_floor(trials, judged_scores(results, score))
    losses = losses_of(points, score, without=at_floor)
    if at_floor and not losses.fields:
        found = contrasts(trials, score)
        why = _at_floor(score, len(at_floor), blank=bool(found) and not any(found))
        raise NotAvailableError(f"{summary.facts.name}: {why}")
    noise = noise_spread(results, summary.facts.name, score, without=at_floor)
    if why := _unmoved(score, losses, noise, counts=counted(trials, score, without=at_floor)):
        raise NotAvailableError(f"{summary.facts.name}: {why}")
    known = np.isfinite(losses.original).any(axis=1)
    return Evidence(
        losses=losses,
        at_floor=at_floor,
        noise=noise,
        contrasts=tuple(contrasts((t for t in trials if t.field not in at_floor), score)),
        of_seeds=np.nanmean(losses.original[known], axis=0) if known.any() else np.array([]),
    )


def _at_floor(score: ScoreFacts, fields: int, *, blank: bool) -> str:
    where = f"in the originals of {count_text(fields, 'field')}"
    if blank:
        return (
            f"{score.task} finds no object that stands out from the noise {where}, so its"
            f" {label_text(score.name)} says nothing about a codec; check that they are"
            " not blank, and that the task suits the channel."
        )
    return (
        f"{score.task} finds nothing {where} that agrees with the ground truth, so there is no"
        f" {label_text(score.name)} to lose; check that labels are numbered 1, 2, 3, ..."
        " and not a mask of 0 and 255, and that the task suits the channel."
    )


def _unmoved(
    score: ScoreFacts, losses: Losses, noise: float | None, *, counts: Counted | None
) -> str:
    """Return why a score seems not to depend on the image; "" where it does."""
    values = np.unique(losses.original[np.isfinite(losses.original)])
    best = 1.0 if score.better == "higher" else 0.0
    # What is at its best cannot tell an easy task from a blind one.
    if not values.size or (values == best).all() or losses.values.any():
        return ""
    constant = values.size == 1 and len(losses.fields) > 1
    # Objects that differ between fields are counted in the images; few of them hardly move.
    if counts is not None and not constant:
        return ""
    if not constant and (noise is None or noise > LEAST_SPREAD):
        return ""
    return (
        f"{score.name} is {_span(values)} from the originals, and neither a codec nor the camera's"
        f" noise changes it: {score.task} does not seem to look at the image; check what it scores."
    )


def _span(values: Floats) -> str:
    low, high = f"{values.min():.4g}", f"{values.max():.4g}"
    return low if low == high else f"{low} to {high}"
