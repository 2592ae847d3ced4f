"""Cautions: what a reader must know before acting on a recommendation."""

from __future__ import annotations

from cytopress.results.dataset_summary import DatasetSummary
from cytopress.results.losses import Losses
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.statistics import LEAST_UNITS
from cytopress.study.results import Results, ScoreFacts


def cautions(
    results: Results,
    summary: DatasetSummary,
    score: ScoreFacts,
    losses: Losses,
    *,
    margin: float,
    spread: float | None,
    chosen: JudgedSetting | None,
) -> list[str]:
    """Return the warnings of a recommendation; ``spread`` is the one over training seeds."""
    task = next(
        t for t in results.tasks if t.name == score.task and t.dataset == summary.facts.name
    )
    said = [*_units(losses), *_seeds(margin, spread, trained="seed" in task.summary)]
    if chosen is not None and chosen.point is chosen.curve.points[-1]:
        said.append(
            f"{chosen.spec} is the smallest that was tried of its codec: smaller may be safe too"
        )
    if "caution" in task.summary:
        said.append(task.summary["caution"])
    if "ground truth" in task.summary:
        said.append(f"ground truth: {task.summary['ground truth']}")
    if summary.best_lossless is None:
        said.append("no lossless codec was measured on every field to compare with")
    if results.trials_done < results.trials_planned:
        said.append(
            f"the study is not finished: {results.trials_done:,} of {results.trials_planned:,} done"
        )
    return said


def _units(losses: Losses) -> list[str]:
    said = []
    fields, groups = len(losses.fields), len(set(losses.groups))
    if fields == 1:
        said.append("one field has no spread, so no interval is given and nothing is shown safe")
    elif fields < LEAST_UNITS:
        said.append(f"only {fields} fields: from fewer than {LEAST_UNITS} nothing is shown safe")
    if groups < LEAST_UNITS:
        said.append(
            f"only {groups} group{'s' if groups > 1 else ''}: the bound speaks for new fields of"
            f" {'these' if groups > 1 else 'it'}, not for other experiments"
        )
    return said


def _seeds(margin: float, spread: float | None, *, trained: bool) -> list[str]:
    if spread is None:
        return ["one training seed: what another training would say is not known"] * trained
    if margin >= spread:
        return []
    return [
        (
            f"the margin of {margin:.3g} is less than the spread over training seeds, {spread:.3g}:"
            " training again would change the score by more"
        )
    ]
