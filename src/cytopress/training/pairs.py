"""Paired fields of a dataset, standardized and kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.errors import DatasetError
from cytopress.image import Image
from cytopress.io.dataset import Dataset, Field
from cytopress.io.splits import Part
from cytopress.metrics.data_range import PERCENTILES
from cytopress.settings import Settings
from cytopress.tasks.labelfree import standardize
from cytopress.training.decoded import decoded_inputs

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


def load_pairs(
    dataset: Dataset,
    part: Part,
    *,
    smallest: int,
    codecs: Sequence[str],
    settings: Settings,
) -> list[Pair]:
    """Read and standardize the fields of one part, each once for each codec.

    Parameters
    ----------
    dataset : Dataset
        Of planes.
    part : str
        "train", "validation" or "test".
    smallest : int
        Pixels that a field must have along each axis.
    codecs : sequence of str
        What the inputs went through (see `decoded_inputs`); the targets never do.
    settings : Settings
        Says where the model packages of learned codecs are.

    Raises
    ------
    DatasetError
        A field is smaller than ``smallest`` pixels along an axis, is a stack, holds NaN, or its
        input and target differ in shape.
    CodecError
        A codec refuses an input.
    """
    pairs = []
    for field in dataset.part(part):
        source, target = _read_planes(dataset, field, smallest)
        name = f"Field {field.name!r} of {dataset.name}"
        inputs = decoded_inputs(source, codecs, field=name, settings=settings)
        truth = standardize(target.pixels)
        pairs += [Pair(field.name, field.group, standardize(seen.pixels), truth) for seen in inputs]
    return pairs


def _read_planes(dataset: Dataset, field: Field, smallest: int) -> tuple[Image, Image]:
    source, target = dataset.read_input(field), dataset.read_target(field)
    if len(source.shape) != 2:
        raise DatasetError(
            f"Field {field.name!r} of {dataset.name}: training reads planes (YX), not"
            f" {dataset.axes}; cut the stacks into planes."
        )
    if min(source.shape) < smallest:
        raise DatasetError(
            f"Field {field.name!r} of {dataset.name}: {source.shape[0]} x {source.shape[1]} pixels"
            f" are smaller than the crop of {smallest} x {smallest}; choose a smaller crop."
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
