"""Paired fields of a dataset, standardized and kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.errors import DatasetError
from cytopress.image import Pixels
from cytopress.io.dataset import Dataset, Field
from cytopress.io.splits import Part
from cytopress.metrics.data_range import PERCENTILES
from cytopress.tasks.labelfree import standardize

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """One field: input and target, (Y, X) float32, each with mean 0 and standard deviation 1."""

    name: str
    group: str
    input: Plane
    target: Plane


@dataclass(frozen=True)
class TargetFacts:
    """The target's intensities over the training groups, in counts.

    ``mean`` and ``std`` are means over fields; ``data_range`` is the span from the 0.01 to the
    99.99 percentile of all pixels.
    """

    mean: float
    std: float
    data_range: float


def load_pairs(dataset: Dataset, part: Part, *, smallest: int) -> list[Pair]:
    """Read and standardize the fields of one part.

    Raises
    ------
    DatasetError
        A field is smaller than ``smallest`` pixels along an axis, is a stack, holds NaN, or its
        input and target differ in shape.
    """
    return [_load(dataset, field, smallest) for field in dataset.part(part)]


def _load(dataset: Dataset, field: Field, smallest: int) -> Pair:
    source, target = _read_planes(dataset, field)
    if min(source.shape) < smallest:
        raise DatasetError(
            f"Field {field.name!r} of {dataset.name}: {source.shape[0]} x {source.shape[1]} pixels"
            f" are smaller than the crop of {smallest} x {smallest}; choose a smaller crop."
        )
    return Pair(field.name, field.group, standardize(source), standardize(target))


def _read_planes(dataset: Dataset, field: Field) -> tuple[Pixels, Pixels]:
    source, target = dataset.read_input(field).pixels, dataset.read_target(field).pixels
    if source.ndim != 2:
        raise DatasetError(
            f"Field {field.name!r} of {dataset.name}: training reads planes (YX), not"
            f" {dataset.axes}; cut the stacks into planes."
        )
    return source, target


def measure_targets(dataset: Dataset, fields: Sequence[Field]) -> TargetFacts:
    """Measure the targets of the training fields."""
    targets = [dataset.read_target(field).pixels for field in fields]
    low, high = np.percentile(np.concatenate([t.ravel() for t in targets]), PERCENTILES)
    return TargetFacts(
        mean=float(np.mean([t.mean(dtype=np.float64) for t in targets])),
        std=float(np.mean([t.std(dtype=np.float64) for t in targets])),
        data_range=float(high - low),
    )
