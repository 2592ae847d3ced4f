"""What a task is: the contract that every downstream model keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from cytopress.image import Image
from cytopress.tasks.objects import Objects

Prediction = Image | Objects | Mapping[str, float]
# What a prediction can be held against: the field's target image, the labels of its objects as
# measured in the original, or nothing but the prediction from the original.
Truth = Literal["target", "labels", "none"]


@dataclass(frozen=True)
class Score:
    """One number that a task gives: its name, unit ("" for none) and which way is better."""

    name: str
    unit: str
    better: Literal["higher", "lower"]


class Task(Protocol):
    """A downstream analysis. It cannot tell whether its input was ever compressed."""

    @property
    def name(self) -> str:
        """Stable name, such as ``labelfree/ecoli-phase``."""

    @property
    def weights(self) -> str:
        """Hexadecimal sha256 of the trained weights: part of a result's identity."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """The numbers that ``score`` returns; the first is the main one."""

    @property
    def truth(self) -> Truth:
        """What the ground truth is; a task without one is scored by agreement alone."""

    def predict(self, image: Image) -> Prediction:
        """Predict from one image.

        Raises
        ------
        TaskError
            The image is not of the form that the task reads.
        """

    def score(
        self, prediction: Prediction, reference: Prediction, image: Image
    ) -> dict[str, float]:
        """Score a prediction against ground truth, or the prediction from the original.

        ``image`` is the input that was predicted from; most tasks do not need it.
        """
