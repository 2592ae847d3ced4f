"""What one kind of task adds to the frame of its training: the contract that each kind keeps.

The frame (`cytopress.training.task`) reads pairs, draws crops, fits the U-Net, averages, validates,
resumes, exports and writes the card. A kind says what a pair is, what the loss is and what the
package's manifest and card tell besides. A new one is a module here and a line in ``registry``.
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
    """What a kind tells on the card.

    ``summary`` says what the model does and reached; ``output`` what the network answers, a line
    each; ``scored`` what the scores compare; ``limits`` what the model cannot do, a line each.
    """

    summary: str
    output: tuple[str, ...]
    scored: str
    limits: tuple[str, ...]


class Kind(Protocol):
    """One kind of task."""

    @property
    def outputs(self) -> int:
        """Channels of the network's answer."""

    @property
    def score(self) -> str:
        """Name of the validation score, of which more is better, such as ``pearson``."""

    @property
    def interpolation(self) -> str:
        """How a target is zoomed: ``linear`` for intensities, ``nearest`` for classes."""

    @property
    def selects(self) -> bool:
        """Whether the validation score chooses which average is kept; else the last one is."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What decides the weights besides config and data, such as a package's digest."""

    def source(self, dataset: Dataset, field: Field) -> Image:
        """Return the image that the network reads, before it is standardized."""

    def target(self, dataset: Dataset, field: Field) -> Values:
        """Return what is to be learned, of the image's shape."""

    def module(self, config: TaskTraining, train: Sequence[Pair]) -> TaskModule:
        """Return the Lightning module that trains the network."""

    def manifest(self, dataset: Dataset) -> dict[str, Any]:
        """Return what the deployed task needs in its package's manifest."""

    def results(self, dataset: Dataset, package: Package, train: Sequence[Pair]) -> dict[str, Any]:
        """Return the scores on the test fields (see `cytopress.training.evaluate`)."""

    def card(self, manifest: Mapping[str, Any], dataset: Dataset) -> CardPart:
        """Return the kind's part of the card."""
