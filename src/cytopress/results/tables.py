"""Tables of results, shared by the page and the terminal."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.results.change import Change, ends
from cytopress.results.curves import Curve, Point
from cytopress.results.dataset_summary import DatasetSummary, SettingRow, dataset_summaries
from cytopress.results.number_format import (
    change_text,
    end_text,
    label_text,
    number_text,
    plain,
    ratio_text,
    target_text,
)
from cytopress.study.results import Results, ScoreFacts

# A tested setting represents a compression ratio that is at most this factor away.
NEAR = 1.25
NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, kw_only=True)
class CodecVerdict:
    """Smallest files of one codec with no loss seen, and its first setting with a loss.

    ``furthest`` is the setting with the fewest bytes such that neither it nor any setting with more
    bytes shows a loss; ``first_loss`` the one with the most bytes that does. ``near`` holds the
    nearest tested setting for each requested ratio, None where none is near enough. ``judged``
    counts those of the codec's ``settings`` that have a verdict.
    """

    curve: Curve
    furthest: SettingRow | None
    first_loss: SettingRow | None
    near: tuple[SettingRow | None, ...]
    judged: int
    settings: int


@dataclass(frozen=True, kw_only=True)
class ErrorRow:
    """Trials of a setting that failed, wholly or in part, for one reason."""

    dataset: str
    codec: str
    setting: str
    reason: str
    fields: int


def codec_verdicts(rows: Sequence[SettingRow], sizes: Sequence[float]) -> list[CodecVerdict]:
    """Return one verdict per lossy codec; the one with the smallest files comes first."""
    found = []
    for curve in dict.fromkeys(row.curve for row in rows if not row.curve.lossless):
        some = [row for row in rows if row.curve is curve]
        first_loss = next((row for row in some if row.verdict == "loss"), None)
        before = some[: some.index(first_loss)] if first_loss else some
        reached = [row for row in before if row.verdict in ("no loss seen", "better")]
        found.append(
            CodecVerdict(
                curve=curve,
                furthest=reached[-1] if reached else None,
                first_loss=first_loss,
                near=tuple(_nearest(some, size) for size in sizes),
                judged=sum(row.verdict != "not shown" for row in some),
                settings=len(some),
            )
        )
    return sorted(found, key=lambda v: -v.furthest.point.ratio if v.furthest else 0.0)


def sizes(summary: DatasetSummary) -> list[float]:
    """Return the compression ratios at which codecs are compared side by side.

    These are the target ratios of many codecs, and repeated halves of the smallest for codecs that
    do not reach it; powers of two where fewer than two ratios are that frequent.
    """
    counts = Counter(
        point.target_value
        for curve in summary.lossy
        for point in curve.points
        if point.target == "ratio" and point.target_value is not None
    )
    often = [ratio for ratio, count in counts.items() if 2 * count >= max(counts.values())]
    if len(often) > 1:
        least = min(often)
        halves = [least / 2**k for k in range(1, 10) if least / 2**k >= 2]
        return sorted([*halves, *often])
    ratios = [point.ratio for curve in summary.lossy for point in curve.points]
    if not ratios:
        return []
    last = max(1, math.floor(math.log2(max(ratios) * NEAR)))
    return [2.0**power for power in range(1, last + 1)]


def lossless_rows(rows: Sequence[SettingRow]) -> list[SettingRow]:
    """Return the lossless settings, the fewest bytes first."""
    some = [row for row in rows if row.curve.lossless]
    return sorted(some, key=lambda row: -row.point.ratio)


def error_rows(results: Results) -> list[ErrorRow]:
    """Return the trials that failed, counted by codec, setting and reason.

    Reasons that differ only in their numbers count as one, which the first of them represents.
    """
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for trial in results.trials:
        if trial.error:
            setting = target_text(trial.target, trial.target_value)
            kind = NUMBER.sub("#", trial.error)
            groups[trial.dataset, trial.codec, setting, kind].append(trial.error)
    return [
        ErrorRow(
            dataset=dataset,
            codec=codec,
            setting=setting,
            reason=errors[0] if len(set(errors)) == 1 else f"{errors[0]} (others alike)",
            fields=len(errors),
        )
        for (dataset, codec, setting, _), errors in groups.items()
    ]


def summary_rows(results: Results) -> list[dict[str, str]]:
    """Return the table that a finished study prints: one row per dataset, task and setting.

    Texts as in the report, by column name; every row has the same columns.
    """
    return [
        _summary(summary, row)
        for summary in dataset_summaries(results)
        for score in summary.main_scores
        for row in summary.rows_of(score)
    ]


def _summary(summary: DatasetSummary, row: SettingRow) -> dict[str, str]:
    point, effect = row.point, row.change
    texts = {
        "dataset": summary.facts.name,
        "codec": row.curve.label,
        "setting": point.setting,
        "smaller": ratio_text(point.ratio),
        "lossless": ratio_text(summary.best_lossless[1].ratio if summary.best_lossless else None),
        "PSNR dB": psnr_text(point),
        "score": _score_text(summary, row.score),
        "original": number_text(effect.original if effect else None),
        "decoded": number_text(effect.decoded if effect else None),
        "change": difference_text(effect),
        "95 % interval": interval_text(effect).strip("()"),
        "verdict": row.verdict,
        "fields": f"{point.fields} of {point.fields_asked}",
    }
    return {column: plain(text) for column, text in texts.items()}


def _score_text(summary: DatasetSummary, score: ScoreFacts | None) -> str:
    """Name a score; the task only where there are several, since a terminal is narrow."""
    if score is None:
        return "no task"
    name = label_text(score.name)
    return name if len(summary.main_scores) == 1 else f"{score.task} {name}"


def psnr_text(point: Point) -> str:
    """Format the mean PSNR; "exact" where no pixel changed."""
    mean = point.mean("pixels/psnr")
    return f"{mean:.1f}" if mean is not None and math.isfinite(mean) else number_text(mean)


def difference_text(effect: Change | None) -> str:
    """Format a paired difference alone."""
    if effect is None:
        return "–"
    return change_text(effect.difference, scale=abs(effect.decoded))


def interval_text(effect: Change | None) -> str:
    """Format the interval of a paired difference in brackets, or why there is none."""
    span = ends(effect.interval) if effect else None
    if effect is None or span is None:
        return "(no interval: one field)" if effect else ""
    low, high = (end_text(value, scale=abs(effect.decoded)) for value in span)
    return f"({low} to {high})"


def effect_text(effect: Change | None) -> str:
    """Format a paired difference with its interval."""
    return f"{difference_text(effect)} {interval_text(effect)}".strip()


def _nearest(rows: Sequence[SettingRow], size: float) -> SettingRow | None:
    def distance(row: SettingRow) -> float:
        return abs(math.log(row.point.ratio / size))

    best = min(rows, key=distance, default=None)
    return best if best is not None and distance(best) <= math.log(NEAR) + 1e-9 else None
