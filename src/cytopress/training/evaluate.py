"""Score a finished model, and the linear baseline, on the test fields: once, at the end."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from cytopress.image import Image
from cytopress.io.dataset import Dataset
from cytopress.machine import processor
from cytopress.tasks.labelfree import LabelFree, standardize
from cytopress.training.baseline import fit_filter_bank
from cytopress.training.pairs import Pair, TargetFacts

Scores = dict[str, float]


def evaluate(
    dataset: Dataset, task: LabelFree, train: Sequence[Pair], facts: TargetFacts
) -> dict[str, Any]:
    """Return the scores of network and baseline: per test field, and their means.

    Both are given in counts of the target by the same rule, and the baseline is fitted on the very
    fields that the network was trained on. A dataset without test fields gives empty tables.
    """
    bank = fit_filter_bank(train)

    def linear(image: Image) -> Image:
        return Image(
            bank.predict(standardize(image.pixels)) * np.float32(facts.std) + np.float32(facts.mean)
        )

    network = _score_fields(dataset, task, task.predict)
    baseline = _score_fields(dataset, task, linear)
    return {
        "fields": network,
        "mean": _means(network),
        "baseline_fields": baseline,
        "baseline_mean": _means(baseline),
    }


def _score_fields(
    dataset: Dataset, task: LabelFree, predict: Callable[[Image], Image]
) -> dict[str, Scores]:
    scores = {}
    for field in dataset.part("test"):
        source, truth = dataset.read_input(field), dataset.read_target(field)
        found = task.score(predict(source), truth, source)
        scores[field.name] = {name: round(value, 5) for name, value in found.items()}
    return scores


def _means(fields: dict[str, Scores]) -> Scores:
    names = next(iter(fields.values()), {})
    return {
        name: round(float(np.mean([scores[name] for scores in fields.values()])), 5)
        for name in names
    }


def machine() -> dict[str, Any]:
    """Return what the training ran on: processor, cores, versions."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {
            name: version(name) for name in ("torch", "lightning", "monai", "onnxruntime")
        },
    }
