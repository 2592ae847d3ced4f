"""Volumes against planes: how much of a label-free score learned compression costs in each."""

from __future__ import annotations

from collections.abc import Sequence

from cytopress.results.claims.claim import FAILS, HOLDS, OPEN, Finding
from cytopress.results.claims.findings import finding, labelfree, loss_ends
from cytopress.results.dataset_summary import DatasetSummary, SettingRow
from cytopress.results.number_format import MINUS
from cytopress.study.results import ScoreFacts

Lost = tuple[SettingRow, ScoreFacts]


def fragility(planes: Sequence[DatasetSummary], volumes: Sequence[DatasetSummary]) -> list[Finding]:
    """Compare the learned setting that harms least in volumes and in planes, at equal ratios."""
    found = []
    for deep in volumes:
        for flat in planes:
            for ratio in sorted(_ratios(deep) & _ratios(flat)):
                one = _least_lost(flat, ratio)
                other = _least_lost(deep, ratio)
                if one is None or other is None:
                    continue
                text = (
                    f"of the score, {_share_text(other)} is lost in volumes ({deep.facts.name},"
                    f" {other[0].curve.label}) and {_share_text(one)} in planes"
                    f" ({flat.facts.name}, {one[0].curve.label}). Other cells and other models:"
                    " not only the third dimension differs"
                )
                span, beside = _share(other), _share(one)
                verdict = OPEN
                if span is not None and beside is not None:
                    verdict = (
                        HOLDS if span[1] > beside[2] else FAILS if span[2] < beside[1] else OPEN
                    )
                found.append(finding(deep, f"{ratio:g} times smaller", text, verdict))
    return found


def _ratios(summary: DatasetSummary) -> set[float]:
    return {
        point.target_value
        for curve in summary.lossy
        if curve.learned
        for point in curve.points
        if point.target == "ratio" and point.target_value is not None
    }


def _least_lost(summary: DatasetSummary, ratio: float) -> Lost | None:
    """Return the learned setting at a ratio that harms the first label-free task least."""
    score = next(iter(labelfree(summary)), None)
    if score is None:
        return None
    rows = [
        row
        for row in summary.rows_of(score)
        if row.curve.learned and (row.point.target, row.point.target_value) == ("ratio", ratio)
        if row.change is not None
    ]
    sign = -1.0 if score.better == "higher" else 1.0
    best = min(rows, key=lambda r: sign * (r.change.difference if r.change else 0), default=None)
    return None if best is None else (best, score)


def _share(lost: Lost) -> tuple[float, float, float] | None:
    """Return what share of the score is lost, with both ends; None where there is no interval."""
    row, score = lost
    change = row.change
    low, high = loss_ends(change, score) if change else (None, None)
    if change is None or low is None or high is None or not change.original:
        return None
    sign = -1.0 if score.better == "higher" else 1.0
    size = abs(change.original)
    return sign * change.difference / size, low / size, high / size


def _share_text(lost: Lost) -> str:
    share = _share(lost)
    if share is None:
        change = lost[0].change
        whole = change.difference / change.original if change and change.original else 0.0
        return f"{100 * abs(whole):.1f} % (too few fields for an interval)"
    return f"{share[0]:.1%} ({share[1]:.1%} to {share[2]:.1%})".replace("-", MINUS)
