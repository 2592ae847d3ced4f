"""Evaluation of a finished package on the test fields: once, at the end."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from cytopress.datasets.dataset import Dataset, Field
from cytopress.image import Image
from cytopress.machine import processor
from cytopress.models.model_package import Package
from cytopress.tasks.objects import measure_objects
from cytopress.tasks.protocol import Prediction, Task
from cytopress.tasks.registry import FAMILIES, from_package

Scores = dict[str, float]
Source = Callable[[Dataset, Field], Image]


def evaluate(dataset: Dataset, package: Package, source: Source) -> dict[str, Any]:
    """Return the names of the scores, the scores of each test field, and their means.

    Parameters
    ----------
    dataset : Dataset
        Without test fields the tables are empty; so they are for a package of a family that no task
        serves.
    package : Package
        The finished model.
    source : callable
        Gives the original image of a field that the task predicts from.
    """
    if package.name.partition("/")[0] not in FAMILIES:
        return {"scores": [], "fields": {}, "mean": {}}
    task = from_package(package)
    fields = score_fields(dataset, task, source, task.predict)
    names = [score.name for score in task.scores]
    return {"scores": names, "fields": fields, "mean": means(fields)}


def score_fields(
    dataset: Dataset, task: Task, source: Source, predict: Callable[[Image], Prediction]
) -> dict[str, Scores]:
    """Return the scores of each test field, by field and score."""
    scores = {}
    for field in dataset.part("test"):
        image = source(dataset, field)
        found = task.score(predict(image), _truth(dataset, field, task, image), image)
        scores[field.name] = {name: round(value, 5) for name, value in found.items()}
    return scores


def _truth(dataset: Dataset, field: Field, task: Task, image: Image) -> Prediction:
    if task.truth == "labels":
        return measure_objects(dataset.read_labels(field), image)
    return dataset.read_target(field)


def means(fields: dict[str, Scores]) -> Scores:
    """Return the mean of each score over the fields; none without fields."""
    names = next(iter(fields.values()), {})
    return {
        name: round(float(np.mean([scores[name] for scores in fields.values()])), 5)
        for name in names
    }


def machine() -> dict[str, Any]:
    """Return processor, cores and versions of the training."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {
            name: version(name) for name in ("torch", "lightning", "monai", "onnxruntime")
        },
    }
