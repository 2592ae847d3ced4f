"""Similarity and task loss: how well image metrics rank the settings by their loss."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.results.dataset_summary import DatasetSummary, SettingRow
from cytopress.results.number_format import label_text, ratio_text
from cytopress.results.recommendation.amounts import amount_text, figure_text
from cytopress.study.results import ScoreFacts

METRICS = ("pixels/psnr", "pixels/ssim", "pixels/pearson")
# With fewer settings a rank correlation says nothing.
LEAST_SETTINGS = 5
SIMILAR_DB = 0.5
# Rank correlations from which on a metric tells how a task does, and up to which it tells little.
TELLING, LITTLE = -0.9, -0.6


@dataclass(frozen=True, kw_only=True, eq=False)
class Similarity:
    """Task loss against one image metric, over the lossy settings of all codecs.

    ``rho`` is Spearman's rank correlation of ``losses`` and ``values`` (Am. J. Psychol. 15 (1904)
    72); None with fewer than five settings, or where one of them does not vary.
    """

    metric: str
    rows: tuple[SettingRow, ...]
    values: tuple[float, ...]
    losses: tuple[float, ...]
    rho: float | None


def similarities(summary: DatasetSummary, score: ScoreFacts) -> list[Similarity]:
    """Return one for each measured metric, over settings with a result on every field."""
    return [one for metric in METRICS if (one := _similarity(summary, score, metric)).rows]


def telling(some: Sequence[Similarity]) -> bool:
    """Return whether one of the metrics ranks the settings nearly as the task does."""
    known = [one.rho for one in some if one.rho is not None]
    return bool(known) and min(known) <= TELLING


def similarity_heading(some: Sequence[Similarity]) -> str:
    """Return a heading that says what was found: whether similarity tells how the task does."""
    known = [one.rho for one in some if one.rho is not None]
    if not known:
        return "Similarity and the analysis"
    if max(known) <= TELLING:
        return "Similarity tells much here"
    return "Similarity tells little here" if min(known) > LITTLE else "Similarity tells some of it"


def similarity_text(one: Similarity) -> str:
    """Describe the rank correlation."""
    n = len(one.rows)
    name = label_text(one.metric.partition("/")[2])
    if one.rho is None:
        return f"{name}: no rank correlation, {n} settings are too few or do not vary."
    rho = f"{one.rho:+.2f}".replace("-", "−")
    what = "rank correlation with how much worse it gets"
    return f"{name}: Spearman’s {what} is {rho} over {n} settings."


def example_text(summary: DatasetSummary, score: ScoreFacts, noise: float | None) -> str:
    """Describe two settings of similar PSNR and different loss; "" without such a pair.

    Of all pairs within half a decibel, it is the pair whose losses differ most.
    """
    one = _similarity(summary, score, METRICS[0])
    points = sorted(zip(one.values, one.losses, range(len(one.rows)), strict=True))
    pairs = [
        (first, second)
        for first, second in itertools.combinations(points, 2)
        if second[0] - first[0] <= SIMILAR_DB
    ]
    if not pairs:
        return ""
    pair = max(pairs, key=lambda pair: abs(pair[0][1] - pair[1][1]))
    less, more = sorted(pair, key=lambda point: point[1])
    apart = more[1] - less[1]
    if apart == 0:
        return ""
    first, second = (
        f"{_setting_text(one, index)} with {psnr:.1f} dB {_loss_text(loss)}"
        for psnr, loss, index in (less, more)
    )
    text = (
        f"Of all pairs within {SIMILAR_DB} dB of PSNR, these differ most: {first}, {second}."
        f" The difference is {amount_text(apart, score)}"
    )
    if noise:
        text += f", {apart / noise:.1f} times what one more draw of the camera’s noise moves"
    return f"{text}."


def _similarity(summary: DatasetSummary, score: ScoreFacts, metric: str) -> Similarity:
    sign = -1.0 if score.better == "higher" else 1.0
    rows, values, losses = [], [], []
    for row in summary.rows_of(score):
        value = row.point.mean(metric)
        whole = row.change is not None and row.change.fields == row.point.fields_asked
        if row.curve.lossless or value is None or not math.isfinite(value) or not whole:
            continue
        rows.append(row)
        values.append(value)
        losses.append(sign * row.change.difference if row.change else 0.0)
    return Similarity(
        metric=metric,
        rows=tuple(rows),
        values=tuple(values),
        losses=tuple(losses),
        rho=_spearman(values, losses),
    )


def _spearman(first: list[float], second: list[float]) -> float | None:
    if len(first) < LEAST_SETTINGS or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic)


def _setting_text(one: Similarity, index: int) -> str:
    row = one.rows[index]
    return f"{row.curve.label} {row.point.setting} ({ratio_text(row.point.ratio)} smaller)"


def _loss_text(loss: float) -> str:
    return f"{'loses' if loss >= 0 else 'gains'} {figure_text(abs(loss))}"
