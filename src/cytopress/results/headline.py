"""Headline of a task: image similarity and task score at the setting with the largest loss."""

from __future__ import annotations

from cytopress.results.change import ends
from cytopress.results.curves import setting_text
from cytopress.results.dataset_summary import DatasetSummary, SettingRow
from cytopress.results.number_format import label_text, number_text, ratio_text
from cytopress.results.tables import effect_text
from cytopress.results.train_test_matrix import Matrix
from cytopress.statistics import LEAST_UNITS
from cytopress.study.results import ScoreFacts

SIMILARITIES = (
    ("pixels/ssim", "SSIM", ""),
    ("pixels/pearson", "Pearson r", ""),
    ("pixels/psnr", "PSNR", " dB"),
)


def headline_text(summary: DatasetSummary, score: ScoreFacts, table: Matrix | None) -> str:
    """Describe the setting with the largest loss; if models were also trained on some, of those.

    The sentence states what was measured and claims no more; "" where nothing was.
    """
    rows = [row for row in summary.rows_of(score) if _whole(row)]
    if table is not None:
        trained = [row for row in rows if _name(row) in table.rows]
        rows = trained or rows
    sign = -1.0 if score.better == "higher" else 1.0
    worst = max(rows, key=lambda row: sign * _difference(row), default=None)
    if worst is None or worst.change is None:
        return ""
    change, name = worst.change, label_text(score.name)
    similarities = [
        f"{what} {number_text(mean, significant=3)}{unit}"
        for column, what, unit in SIMILARITIES
        if (mean := worst.point.mean(column)) is not None
    ]
    text = (
        f"Where the task loses most, {worst.curve.label} {worst.point.setting}"
        f" ({ratio_text(worst.point.ratio)} smaller)"
    )
    if similarities:
        text += f", decoded images score {', '.join(similarities)} against the originals"
    text += (
        f"; from them, models trained on originals reach {name} {number_text(change.decoded)},"
        f" from the originals {number_text(change.original)}: a change of {effect_text(change)}"
    )
    if _not_shown(worst):
        text += ", which is not told from zero"
    matched = table.mean_score(_name(worst), _name(worst)) if table is not None else None
    if matched is not None:
        text += f". Models trained on images of this very setting reach {number_text(matched.mean)}"
    return f"{text}."


def _whole(row: SettingRow) -> bool:
    whole = row.change is not None and row.change.fields == row.point.fields_asked
    return whole and not row.curve.lossless


def _difference(row: SettingRow) -> float:
    return row.change.difference if row.change else 0.0


def _not_shown(row: SettingRow) -> bool:
    interval = row.change.interval if row.change else None
    span = ends(interval)
    few = interval is None or interval.n < LEAST_UNITS
    return few or span is None or span[0] <= 0 <= span[1]


def _name(row: SettingRow) -> str:
    return setting_text(row.point.trials[0])
