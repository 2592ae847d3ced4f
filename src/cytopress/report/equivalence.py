"""Equivalence plots: losses against the margin, as data for the page's script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cytopress.results.number_format import label_text
from cytopress.results.recommendation.answers import Answer
from cytopress.results.recommendation.recommend import Recommendation
from cytopress.results.recommendation.setting import JudgedSetting


def equivalence_data(answers: Sequence[Answer]) -> list[dict[str, Any] | None]:
    """Return one plot for each answer, None for an answer without a judged setting.

    A plot maps the label of each codec to its settings, in the order of its curve.
    """
    return [
        _plot(answer.recommendation)
        if answer.recommendation is not None and answer.recommendation.settings
        else None
        for answer in answers
    ]


def _plot(given: Recommendation) -> dict[str, Any]:
    curves: dict[str, list[dict[str, Any]]] = {}
    for setting in given.settings:
        curves.setdefault(setting.curve.label, []).append(_point(setting))
    unit = f" ({given.score.unit})" if given.score.unit else ""
    return {
        "label": f"{label_text(given.score.name)}{unit}",
        "margin": given.margin,
        "noise": given.noise,
        "curves": curves,
    }


def _point(setting: JudgedSetting) -> dict[str, Any]:
    effect = setting.effect
    return {
        "mean": effect.mean if effect else None,
        "low": effect.low if effect else None,
        "bound": setting.bound,
        "safe": setting.safe,
        "reason": setting.reason,
    }
