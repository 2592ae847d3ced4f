"""What claims on label-free tasks share: their scores, losses with intervals, findings."""

from __future__ import annotations

from cytopress.results.change import Change, ends
from cytopress.results.claims.claim import Finding
from cytopress.results.dataset_summary import DatasetSummary
from cytopress.statistics import LEAST_UNITS
from cytopress.study.results import ScoreFacts


def labelfree(summary: DatasetSummary) -> list[ScoreFacts]:
    """Return the main score of each label-free task."""
    return [score for score in summary.scores if score.main and score.task.startswith("labelfree")]


def loss_ends(change: Change | None, score: ScoreFacts) -> tuple[float | None, float | None]:
    """Return both ends of the interval of a loss: positive is worse."""
    interval = change.interval if change else None
    span = ends(interval)
    if span is None or interval is None or interval.n < LEAST_UNITS:
        return None, None
    return (-span[1], -span[0]) if score.better == "higher" else span


def finding(summary: DatasetSummary, about: str, text: str, verdict: str) -> Finding:
    """Return a finding on a dataset."""
    return Finding(dataset=summary.facts.name, about=about, text=text, verdict=verdict)
