"""Pictured fields: the median and the worst field of the setting that illustrates an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.results.recommendation.answers import answers
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.recommend import Recommendation
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.study.results import Results
from cytopress.study.trial import Trial


@dataclass(frozen=True, kw_only=True)
class FieldLoss:
    """How much worse a setting makes the score on one field, in the score's unit.

    Mean over training seeds; negative where the decoded image scores better.
    """

    field: str
    loss: float


def shown_setting(found: Recommendation) -> JudgedSetting | None:
    """Return the setting that illustrates a recommendation; None without lossy settings.

    It is the chosen one, else the finest that was tried: the one with the most bytes.
    """
    return found.chosen or min(found.settings, key=lambda setting: setting.ratio, default=None)


def field_losses(setting: JudgedSetting) -> list[FieldLoss]:
    """Return the fields that a setting was judged on, from the best to the worst."""
    losses = setting.bounded.losses if setting.bounded else {}
    some = [FieldLoss(field=field, loss=loss) for field, loss in losses.items()]
    return sorted(some, key=lambda one: one.loss)


def pictured_fields(losses: Sequence[FieldLoss]) -> list[FieldLoss]:
    """Return the field in the middle and the last one, once if they are one.

    In the middle of an even number is the better of two.
    """
    return list(dict.fromkeys([losses[(len(losses) - 1) // 2], losses[-1]])) if losses else []


def trial_of(setting: JudgedSetting, field: str) -> Trial | None:
    """Return the trial of a setting on a field; those of other seeds share its pictures."""
    return next((trial for trial in setting.point.trials if trial.field == field), None)


def pictured_keys(results: Results, criteria: Sequence[Criterion] = ()) -> list[str]:
    """Return the keys of the trials whose pictures the page of these criteria begins with."""
    found = [one.recommendation for one in answers(results, criteria) if one.recommendation]
    shown = [setting for one in found if (setting := shown_setting(one)) is not None]
    keys = [
        trial.key
        for setting in shown
        for one in pictured_fields(field_losses(setting))
        if (trial := trial_of(setting, one.field)) is not None
    ]
    return list(dict.fromkeys(keys))
