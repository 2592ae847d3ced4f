"""Margin table: every setting of a task with its smallest margin, so that a page can move it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from cytopress.errors import NotAvailableError, UsageError
from cytopress.results.counted import Counted
from cytopress.results.dataset_summary import DatasetSummary
from cytopress.results.recommendation.bounds import BoundedSetting, bounded_settings
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.evidence import Evidence, evidence_of
from cytopress.results.recommendation.margin import margin_of, percent_scale, refused_from
from cytopress.results.recommendation.setting import (
    JudgedSetting,
    encoding_rate,
    lossless_setting,
    spec_of,
    speed_of,
    with_speed,
)
from cytopress.statistics.sample_size import Step, steps
from cytopress.study.results import Results, ScoreFacts


@dataclass(frozen=True, kw_only=True, eq=False)
class MarginTable:
    """What a study shows of one task score on one dataset (or channel), at every margin.

    Parameters
    ----------
    summary, score : DatasetSummary, ScoreFacts
        The dataset and the score.
    confidence : float
        Of all claims at one margin together.
    evidence : Evidence
        Losses, fields left out, and the score's spread over noise replicates.
    noise_margin : float or None
        The noise margin, in the score's unit; ``no_noise`` says why there is none.
    percent_scale : float or None
        The margin that 100 % is, in the score's unit; None where percent mean nothing.
    codecs : tuple of tuple of BoundedSetting
        The settings of each lossy codec, in the order of its fixed sequence.
    lossless : JudgedSetting or None
        The best lossless setting.
    steps : tuple of Step
        Numbers of more fields (or groups) to try for settings that are not shown.
    """

    summary: DatasetSummary
    score: ScoreFacts
    confidence: float
    evidence: Evidence
    noise_margin: float | None
    no_noise: str
    percent_scale: float | None
    codecs: tuple[tuple[BoundedSetting, ...], ...]
    lossless: JudgedSetting | None
    steps: tuple[Step, ...]

    @property
    def counted(self) -> Counted | None:
        """The objects behind a score that is a count."""
        return self.settings[0].counted if self.settings else None

    @property
    def settings(self) -> list[BoundedSetting]:
        """All settings, codec by codec."""
        return [one for codec in self.codecs for one in codec]


def margin_table(
    results: Results, summary: DatasetSummary, score: ScoreFacts, *, confidence: float = 0.95
) -> MarginTable:
    """Return the table of one score on one dataset.

    Raises
    ------
    NotAvailableError
        The score cannot fall, or does not depend on the image: everything would be inside.
    """
    evidence = evidence_of(results, summary, score)
    found = bounded_settings(summary.lossy, score, confidence=confidence, without=evidence.at_floor)
    noise_margin, no_noise = None, ""
    try:
        noise_margin = margin_of(Criterion(task=score.task, metric=score.name), score, evidence)
    except (NotAvailableError, UsageError) as error:
        no_noise = str(error)
    best = summary.best_lossless
    level = (1 - confidence) / max(1, len(summary.lossy))
    return MarginTable(
        summary=summary,
        score=score,
        confidence=confidence,
        evidence=evidence,
        noise_margin=noise_margin,
        no_noise=no_noise,
        percent_scale=percent_scale(score, evidence.original),
        codecs=tuple(tuple(some) for _, some in groupby(found, key=lambda one: one.curve)),
        lossless=None if best is None else with_speed(lossless_setting(*best), results.speeds),
        steps=steps(max((one.effect.n for one in found), default=0), level=level),
    )


def as_json(table: MarginTable, results: Results) -> dict[str, Any]:
    """Return a table as plain values, from which a script can answer as `recommend` does.

    At a margin ``m``, a setting is *inside* where its ``bound`` is a number and ``bound <= m``,
    *outside* where its ``low`` is a number and ``low > m``, and *not shown* otherwise. Chosen is,
    of the settings that are inside and have a larger ``ratio`` than ``lossless`` (than 1 where that
    is null), the one with the largest; unless its ``speed`` is null, of those with ``ratio * 1.03``
    at least that large, the one with the largest ``speed``, the larger ratio where speeds are
    equal.

    How many more fields would settle a setting that is not shown is computed from ``steps``: of
    each, the number of more fields (or groups), how many times as many there are then, Student's
    quantile as a share of today's, and the loss that as many objects still allow (null where the
    score is no count). A half width ``w`` of a setting, its ``below`` or ``above``, is then
    ``w * quantile * sqrt(seed_share + (1 - seed_share) / times)``. `more_fields` says which.

    A margin of P percent is ``P / 100 * percent_scale``. `recommend` refuses margins from
    ``refused_from`` on, since they would leave nothing of the score or of the signal.
    """
    losses = table.evidence.losses
    effects = [one.effect for one in table.settings]
    return {
        "dataset": table.summary.facts.name,
        "title": table.summary.facts.title,
        "task": table.score.task,
        "metric": table.score.name,
        "unit": table.score.unit,
        "better": table.score.better,
        "confidence": table.confidence,
        "original": table.evidence.original if table.evidence.of_seeds.size else None,
        "noise_margin": table.noise_margin,
        "no_noise": table.no_noise,
        "percent_scale": table.percent_scale,
        "refused_from": refused_from(table.score, table.evidence),
        "fields": list(losses.fields),
        "groups": list(losses.groups),
        "left_out": sorted(table.evidence.at_floor),
        "units": effects[0].unit if effects else None,
        "n": max((effect.n for effect in effects), default=0),
        "steps": [_step(step, table) for step in table.steps],
        "counted": _counted(table.counted),
        "lossless": _lossless(table.lossless),
        "codecs": [_codec(codec, results, losses.fields) for codec in table.codecs],
    }


def _codec(
    codec: Sequence[BoundedSetting], results: Results, fields: Sequence[str]
) -> dict[str, Any]:
    curve = codec[0].curve
    return {
        "label": curve.label,
        "codec": curve.codec,
        "volumetric": curve.volumetric,
        "settings": [_setting(one, results, fields) for one in codec],
    }


def _setting(one: BoundedSetting, results: Results, fields: Sequence[str]) -> dict[str, Any]:
    effect = one.effect
    return {
        "spec": spec_of(one.point),
        "setting": one.point.setting,
        "ratio": one.point.ratio,
        "bytes": one.point.coded_bytes,
        "speed": encoding_rate(speed_of(one.point, results.speeds)),
        "losses": [one.losses.get(field) for field in fields],
        "worst_field": one.worst_field,
        "mean": effect.mean,
        "low": one.low,
        "bound": one.bound,
        "below": one.below,
        "above": one.above,
        "seed_share": effect.seed_share,
        "n": effect.n,
        "failed": one.asked - effect.fields,
    }


def _step(step: Step, table: MarginTable) -> list[float | None]:
    counted = table.counted
    floor = counted.floor(table.settings[0].level, step.times) if counted else None
    return [step.more, step.times, step.quantile, floor]


def _counted(counted: Counted | None) -> dict[str, Any] | None:
    if counted is None:
        return None
    return {"objects": counted.objects, "fields": counted.fields, "noun": counted.noun}


def _lossless(setting: JudgedSetting | None) -> dict[str, Any] | None:
    if setting is None:
        return None
    return {"spec": setting.spec, "ratio": setting.ratio, "bytes": setting.point.coded_bytes}
