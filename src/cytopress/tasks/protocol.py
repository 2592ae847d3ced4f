"""Task: the contract of all downstream models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from cytopress.image import Image
from cytopress.tasks.objects import Objects

Prediction = Image | Objects | Mapping[str, float]
# The ground truth: the field's target image, the labels of its objects (measured in the original
# image), or none, and then the prediction from the original is the reference.
Truth = Literal["target", "labels", "none"]


@dataclass(frozen=True)
class Score:
    """One score of a task: its name, its unit ("" for none) and the better direction."""

    name: str
    unit: str
    better: Literal["higher", "lower"]


class Task(Protocol):
    """A downstream analysis, which does not know whether its input was compressed."""

    @property
    def name(self) -> str:
        """Stable name, such as ``labelfree/ecoli-phase``."""

    @property
    def weights(self) -> str:
        """Hexadecimal sha256 of the trained weights: part of a result's identity."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """The scores that ``score`` returns; the first is the main one."""

    @property
    def truth(self) -> Truth:
        """The kind of ground truth; a task without one is scored by agreement alone."""

    def predict(self, image: Image) -> Prediction:
        """Predict from one image.

        Raises
        ------
        TaskError
            The image does not have the axes that the task reads, or the model fails.
        """

    def score(
        self, prediction: Prediction, reference: Prediction, image: Image
    ) -> dict[str, float]:
        """Score a prediction against the ground truth, or against the prediction from the original.

        ``image`` is the input of the prediction; most tasks do not need it.
        """
