"""Plot data: curves as numbers for the page's script, with their line styles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cytopress.report.line_styles import line_style
from cytopress.results.axial_error import VARIATION
from cytopress.results.change import ends
from cytopress.results.curves import Curve, bytes_per_pixel
from cytopress.results.dataset_summary import DatasetSummary, SettingRow
from cytopress.results.number_format import label_text
from cytopress.study.results import NoiseFacts, Results, ScoreFacts

# Scores with an ideal value: neither direction is better.
IDEAL = dict.fromkeys(VARIATION, 1)


def plot_data(results: Results, summaries: Sequence[DatasetSummary]) -> dict[str, Any]:
    """Return the plots of every dataset; a codec has one line style in all of them."""
    metrics = [score for score in results.scores if not score.task]
    return {
        "codecs": [
            {"label": label, **asdict(line_style(index))}
            for index, label in enumerate(labels(summaries))
        ],
        "metrics": [_score(score) for score in metrics],
        "datasets": [_dataset(results, each, metrics) for each in summaries],
    }


def labels(summaries: Sequence[DatasetSummary]) -> list[str]:
    """Return the label of every curve of the study once, lossy ones first."""
    some = [curve for each in summaries for curve in each.curves]
    return list(dict.fromkeys(c.label for c in sorted(some, key=lambda curve: curve.lossless)))


def _dataset(
    results: Results, summary: DatasetSummary, metrics: Sequence[ScoreFacts]
) -> dict[str, Any]:
    itemsize = bytes_per_pixel(results, summary.facts)
    best = summary.best_lossless
    return {
        "name": summary.facts.name,
        "noise": _noise(summary.facts.noise),
        "lossless": {
            "label": best[0].label,
            "ratio": best[1].ratio,
            "bpp": best[1].bits_per_pixel(itemsize),
        }
        if best
        else None,
        "scores": [_score(s) | {"original": _original(summary.rows_of(s))} for s in summary.scores],
        "curves": [_curve(summary, curve, itemsize, metrics) for curve in summary.lossy],
    }


def _curve(
    summary: DatasetSummary, curve: Curve, itemsize: int, metrics: Sequence[ScoreFacts]
) -> dict[str, Any]:
    points = curve.points
    return {
        "label": curve.label,
        "ratio": [point.ratio for point in points],
        "bpp": [point.bits_per_pixel(itemsize) for point in points],
        "setting": [point.setting for point in points],
        "fields": [f"{point.fields} of {point.fields_asked}" for point in points],
        "metrics": {
            score.column: [_finite(point.mean(score.column)) for point in points]
            for score in metrics
        },
        "tasks": {
            score.column: [_effect(row) for row in summary.rows_of(score) if row.curve is curve]
            for score in summary.scores
        },
    }


def _score(score: ScoreFacts) -> dict[str, Any]:
    unit = f" ({score.unit})" if score.unit else ""
    return {
        "column": score.column,
        "label": f"{label_text(score.name)}{unit}",
        "better": score.better,
        "ideal": IDEAL.get(score.column),
        "task": score.task,
    }


def _original(rows: Sequence[SettingRow]) -> float | None:
    """Return the score from originals at the setting with the most fields."""
    effects = [row.change for row in rows if row.change is not None]
    return max(effects, key=lambda effect: effect.fields).original if effects else None


def _effect(row: SettingRow) -> dict[str, Any] | None:
    effect = row.change
    if effect is None:
        return None
    return {
        "decoded": effect.decoded,
        "decodedInterval": ends(effect.decoded_interval),
        "change": effect.difference,
        "changeInterval": ends(effect.interval),
    }


def _noise(noise: NoiseFacts) -> dict[str, Any]:
    return {
        "means": list(noise.means),
        "variances": list(noise.variances),
        "a": noise.a,
        "b": noise.b,
        "offset": noise.offset,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
