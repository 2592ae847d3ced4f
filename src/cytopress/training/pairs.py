"""Training pairs: inputs and targets of a dataset's fields, standardized and kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cytopress.datasets.dataset import Dataset, Field
from cytopress.datasets.splits import Part
from cytopress.errors import DatasetError
from cytopress.image import Image
from cytopress.settings import Settings
from cytopress.tasks.builtin.labelfree import standardize
from cytopress.training.decoded import decoded_inputs

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """One field: a standardized input, and the target of the kind of task.

    Both are float32, (Y, X) or (Z, Y, X).
    """

    name: str
    group: str
    input: Values
    target: Values


class Reading(Protocol):
    """Reader of a field's input and target."""

    def source(self, dataset: Dataset, field: Field) -> Image:
        """Return the input image."""

    def target(self, dataset: Dataset, field: Field) -> Values:
        """Return the target, of the image's shape."""


def load_pairs(
    dataset: Dataset,
    part: Part,
    reading: Reading,
    *,
    smallest: Sequence[int],
    codecs: Sequence[str],
    settings: Settings,
) -> list[Pair]:
    """Read and standardize the fields of one part, each once for each codec.

    Parameters
    ----------
    dataset : Dataset
        A dataset of planes or of stacks.
    part : str
        "train", "validation" or "test".
    reading : Reading
        The kind of task, which reads inputs and targets.
    smallest : sequence of int
        Least length of a field along each axis.
    codecs : sequence of str
        Codecs that the inputs are decoded from (see `decoded_inputs`); targets are originals.
    settings : Settings
        Names the folders of model packages.

    Raises
    ------
    DatasetError
        A field is smaller than ``smallest`` along an axis, holds NaN, or its input and target
        differ in shape.
    CodecError
        A codec refuses an input.
    """
    pairs = []
    for field in dataset.part(part):
        source = _read_source(dataset, field, reading, smallest)
        target = reading.target(dataset, field)
        name = f"Field {field.name!r} of {dataset.name}"
        inputs = decoded_inputs(source, codecs, field=name, settings=settings)
        pairs += [
            Pair(field.name, field.group, standardize(seen.pixels), target) for seen in inputs
        ]
    return pairs


def _read_source(
    dataset: Dataset, field: Field, reading: Reading, smallest: Sequence[int]
) -> Image:
    source = reading.source(dataset, field)
    if any(length < least for length, least in zip(source.shape, smallest, strict=True)):
        found, needed = (" x ".join(map(str, shape)) for shape in (source.shape, smallest))
        raise DatasetError(
            f"Field {field.name!r} of {dataset.name}: {found} pixels are smaller than the crop of"
            f" {needed}; choose a smaller crop."
        )
    return source
