"""Facts of scores and tasks for the report: units, better directions, training data of models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cytopress.datasets.splits import PARTS
from cytopress.metrics import METRICS
from cytopress.study.inspect_datasets import InspectedDataset
from cytopress.study.plan import defined_for
from cytopress.study.results import ScoreFacts, TaskFacts
from cytopress.study.run_trial import IN_UM
from cytopress.tasks.protocol import Task


def score_facts(
    metrics: Sequence[str], tasks: Iterable[Task], inspected: Sequence[InspectedDataset]
) -> tuple[ScoreFacts, ...]:
    """Return all scores that a study can hold, in the order of its columns."""
    facts = []
    in_um = any(found.dataset.pixel_size_um is not None for found in inspected)
    axes = {found.dataset.axes for found in inspected}
    for name in metrics:
        if not any(defined_for([name], each) for each in axes):
            continue
        facts.append(_pixels(f"pixels/{name}", METRICS[name].unit, METRICS[name].better))
        if name in IN_UM and in_um:
            facts.append(_pixels(f"pixels/{name}_um", "cycles/um", METRICS[name].better))
    for task in tasks:
        facts += [
            ScoreFacts(
                column=f"{task.name}/{score.name}",
                name=score.name,
                unit=score.unit,
                better=score.better,
                task=task.name,
                main=score == task.scores[0],
            )
            for score in task.scores
        ]
    return tuple(facts)


def task_facts(inspected: Sequence[InspectedDataset]) -> tuple[TaskFacts, ...]:
    """Return each task of each dataset, with a summary of its model package.

    The summary warns (key ``caution``) if the model was trained or selected on fields of the study,
    or on others of their groups.
    """
    return tuple(
        TaskFacts(
            name=task.name,
            weights=task.weights,
            dataset=found.facts.name,
            summary=_summary(task) | _caution(task, found) | _truth(task, found),
        )
        for found in inspected
        for task in found.tasks
    )


def _pixels(column: str, unit: str, better: str) -> ScoreFacts:
    name = column.partition("/")[2]
    return ScoreFacts(column=column, name=name, unit=unit, better=better, task="", main=False)


def _summary(task: Task) -> dict[str, str]:
    """Return the summary of a task's package; facts that its manifest lacks are left out."""
    manifest = _manifest(task)
    summary = {
        "architecture": manifest.get("architecture"),
        "parameters": manifest.get("parameters"),
        "receptive field (pixels)": manifest.get("receptive_field"),
        "input": _inside(manifest, "input", "normalization"),
        "seed": _inside(manifest, "training", "seed"),
        "trained on": ", ".join(manifest.get("codecs") or ()) or None,
    }
    for part in PARTS:
        groups = _inside(manifest, "trained_on", part, "groups")
        fields = _inside(manifest, "trained_on", part, "fields")
        if groups and fields:
            summary[part] = f"{', '.join(groups)} ({len(fields)} fields)"
    for name, label in (("mean", "on its test fields"), ("baseline_mean", "linear baseline")):
        reached = _inside(manifest, "results", name) or {}
        if reached:
            summary[label] = ", ".join(f"{key} {value:.4g}" for key, value in reached.items())
    return {key: str(value) for key, value in summary.items() if value is not None}


def _caution(task: Task, found: InspectedDataset) -> dict[str, str]:
    """Return a warning of fields that the model was trained or selected on, or their groups."""
    manifest = _manifest(task)
    if _inside(manifest, "trained_on", "dataset") != found.dataset.name:
        return {}
    seen: dict[str, set[str]] = {"groups": set(), "fields": set()}
    for part in ("train", "validation"):
        for names in seen:
            seen[names] |= set(_inside(manifest, "trained_on", part, names) or ())
    here = [one.field for one in found.fields]
    known = [one for one in here if one.name in seen["fields"] or one.group in seen["groups"]]
    if not known:
        return {}
    return {
        "caution": f"{len(known)} of {len(here)} fields of this study, or others of their groups,"
        " trained the model or chose its checkpoint: its scores on them flatter"
    }


def _truth(task: Task, found: InspectedDataset) -> dict[str, str]:
    """Return a note for a task without ground truth."""
    truths = {
        "target": all(one.target for one in found.fields),
        "labels": all(one.labels for one in found.fields),
        "none": False,
    }
    if truths[task.truth]:
        return {}
    return {"ground truth": "none, so the prediction from the original stands for it"}


def _manifest(task: Task) -> Mapping[str, Any]:
    # A task without a package has no manifest.
    manifest: Mapping[str, Any] = getattr(getattr(task, "package", None), "manifest", {})
    return manifest


def _inside(table: object, *path: str) -> Any:
    for key in path:
        table = table.get(key) if isinstance(table, dict) else None
    return table
