"""Equivalence plots: how much worse each setting is, against the margin, for the page's script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cytopress.report.answer import AnswerView
from cytopress.results.number_format import label_text
from cytopress.results.recommendation.setting import JudgedSetting


def equivalence_data(views: Sequence[AnswerView]) -> list[dict[str, Any] | None]:
    """Return one plot for each answer, None for an answer without a judged setting.

    A plot maps the label of each codec to its settings, in the order of its curve.
    """
    return [_plot(view) if view.judged else None for view in views]


def _plot(view: AnswerView) -> dict[str, Any]:
    curves: dict[str, list[dict[str, Any]]] = {}
    for setting in view.judged:
        curves.setdefault(setting.curve.label, []).append(_point(setting))
    unit = f" ({view.score.unit})" if view.score.unit else ""
    return {
        "label": f"{label_text(view.score.name)}{unit}",
        "margin": view.margin,
        "noise": view.table.evidence.noise if view.table else None,
        "curves": curves,
    }


def _point(setting: JudgedSetting) -> dict[str, Any]:
    effect = setting.effect
    return {
        "mean": effect.mean if effect else None,
        "low": effect.low if effect else None,
        "high": effect.high if effect else None,
        "inside": setting.verdict == "inside",
        "verdict": f"{setting.verdict} the margin"
        if setting.verdict != "not shown"
        else "not shown",
    }
