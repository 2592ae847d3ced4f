"""Interface of a kind of task: what it adds to the common training.

`cytopress.training.task` reads pairs, draws crops, fits the U-Net, averages, validates, resumes,
exports and writes the card. A kind defines pairs, loss, and its own entries of the package's
manifest and card. A new kind is a module here and a line in ``registry``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from cytopress.datasets.dataset import Dataset, Field
from cytopress.image import Image
from cytopress.models.model_package import Package
from cytopress.training.config import TaskTraining
from cytopress.training.module import TaskModule
from cytopress.training.pairs import Pair, Values

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class CardPart:
    """A kind's part of the model card.

    ``summary`` is the purpose of the model and its results; ``output`` the network's outputs, a
    line each; ``scored`` what the scores compare; ``limits`` the model's limits, a line each.
    """

    summary: str
    output: tuple[str, ...]
    scored: str
    limits: tuple[str, ...]


class Kind(Protocol):
    """One kind of task."""

    @property
    def outputs(self) -> int:
        """Number of output channels of the network."""

    @property
    def score(self) -> str:
        """Name of the validation score, higher being better, such as ``pearson``."""

    @property
    def interpolation(self) -> str:
        """How a target is zoomed: ``linear`` for intensities, ``nearest`` for classes."""

    @property
    def selects(self) -> bool:
        """Whether the average of best validation score is kept, or the last one."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Inputs of the training besides config and data, such as a package's digest."""

    def source(self, dataset: Dataset, field: Field) -> Image:
        """Return the image that the network reads, before it is standardized."""

    def target(self, dataset: Dataset, field: Field) -> Values:
        """Return the target, of the image's shape."""

    def module(self, config: TaskTraining, train: Sequence[Pair]) -> TaskModule:
        """Return the Lightning module that trains the network."""

    def manifest(self, dataset: Dataset) -> dict[str, Any]:
        """Return the manifest entries that the deployed task needs."""

    def results(self, dataset: Dataset, package: Package, train: Sequence[Pair]) -> dict[str, Any]:
        """Return the scores on the test fields (see `cytopress.training.evaluate`)."""

    def card(self, manifest: Mapping[str, Any], dataset: Dataset) -> CardPart:
        """Return the kind's part of the card."""
