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
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.results.verdicts import Verdicts, verdicts
from cytopress.study.results import Results, ScoreFacts

# A tested setting represents a compression ratio that is at most this factor away.
NEAR = 1.25
# Column of the summary.
MORE, MOST = "more fields", "worse by at most"
NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, kw_only=True)
class CodecVerdict:
    """One codec: its smallest files that are inside the margin, and its settings at given ratios.

    ``furthest`` is the last setting inside the margin, ``then`` the first that is not; both are
    None where nothing was judged, and where there is none. ``near`` holds the nearest tested
    setting for each requested ratio, None where none is near enough.
    """

    curve: Curve
    furthest: JudgedSetting | None
    then: JudgedSetting | None
    near: tuple[SettingRow | None, ...]


@dataclass(frozen=True, kw_only=True)
class ErrorRow:
    """Trials of a setting that failed, wholly or in part, for one reason."""

    dataset: str
    codec: str
    setting: str
    reason: str
    fields: int


def codec_verdicts(
    rows: Sequence[SettingRow], sizes: Sequence[float], found: Verdicts | None = None
) -> list[CodecVerdict]:
    """Return one verdict per lossy codec; the smallest files inside the margin come first.

    Without verdicts, or where nothing is inside, codecs stay in the order of the study.
    """
    lines = []
    for curve in dict.fromkeys(row.curve for row in rows if not row.curve.lossless):
        some = [row for row in rows if row.curve is curve]
        judged = [found.of(row.point, row.score) if found else None for row in some]
        known = [one for one in judged if one is not None]
        lines.append(
            CodecVerdict(
                curve=curve,
                furthest=next((one for one in reversed(known) if one.verdict == "inside"), None),
                then=next((one for one in known if one.verdict != "inside"), None),
                near=tuple(_nearest(some, size) for size in sizes),
            )
        )
    return sorted(lines, key=lambda line: -line.furthest.ratio if line.furthest else 0.0)


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
    found = verdicts(results)
    rows = [
        _summary(summary, row, found)
        for summary in dataset_summaries(results)
        for score in summary.main_scores
        for row in summary.rows_of(score)
    ]
    # A terminal is narrow.
    empty = {name for name in (MORE, MOST) if not any(row[name] for row in rows)}
    rows = [{name: text for name, text in row.items() if name not in empty} for row in rows]
    return rows


def _summary(summary: DatasetSummary, row: SettingRow, found: Verdicts) -> dict[str, str]:
    judged = found.of(row.point, row.score)
    point, effect = row.point, row.change
    bound = judged.bound if judged else None
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
        MOST: "" if bound is None else number_text(bound, significant=2),
        "verdict": found.word(row),
        MORE: f"{judged.more_fields:,}" if judged and judged.more_fields else "",
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
