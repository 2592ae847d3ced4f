"""Segmentation: background, interior and boundary of each object, for a watershed to part.

The three classes are those of Caicedo et al., "Nucleus segmentation across imaging experiments: the
2018 Data Science Bowl", Nature Methods 2019: a boundary class keeps objects apart that touch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cytopress.datasets.dataset import Dataset, Field
from cytopress.image import Image
from cytopress.models.model_package import Package
from cytopress.tasks.builtin.instances import relative_spacing
from cytopress.training.config import TaskTraining
from cytopress.training.evaluate import evaluate
from cytopress.training.kinds.classes import CLASSES, INTERIOR, classes, least_area, seed_depth
from cytopress.training.kinds.kind import CardPart
from cytopress.training.module import TaskModule
from cytopress.training.pairs import Pair, Values

SMOOTH = 1.0


@dataclass(frozen=True)
class SegmentationKind:
    """Objects in one image of each pair, the input or the target, from the field's labels."""

    channel: Literal["input", "target"]
    outputs: int = CLASSES
    score: str = "dice"
    interpolation: str = "nearest"

    @property
    def selects(self) -> bool:
        """True: the best average is kept."""
        return True

    @property
    def identity(self) -> dict[str, str]:
        """No further inputs."""
        return {}

    def source(self, dataset: Dataset, field: Field) -> Image:
        """Return the image that is segmented."""
        read = dataset.read_input if self.channel == "input" else dataset.read_target
        return read(field)

    def target(self, dataset: Dataset, field: Field) -> Values:
        """Return the class of each pixel: 0 background, 1 interior, 2 boundary."""
        return classes(dataset.read_labels(field), self.source(dataset, field).full_spacing_um)

    def module(self, config: TaskTraining, train: Sequence[Pair]) -> TaskModule:
        """Return a module of weighted cross entropy and soft Dice, validated by Dice."""
        return TaskModule(
            config, ClassLoss(train), interior_dice, outputs=self.outputs, score=self.score
        )

    def manifest(self, dataset: Dataset) -> dict[str, Any]:
        """Return the channel, the thresholds and the least size of an object in pixels."""
        fields = dataset.part("train")
        labels = [dataset.read_labels(field) for field in fields]
        cut = {"interior": 0.5, "foreground": 0.5, "min_area": least_area(labels)}
        if dataset.axes == "ZYX":
            images = [self.source(dataset, field) for field in fields]
            cut["core"] = seed_depth(labels, [relative_spacing(image) for image in images])
        name = dataset.input if self.channel == "input" else dataset.target
        return {
            "input": {
                "name": name,
                "channel": self.channel,
                "normalization": "image mean and standard deviation",
            },
            "segmentation": cut,
        }

    def results(
        self,
        dataset: Dataset,
        package: Package,
        train: Sequence[Pair],  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return the scores of the deployed task."""
        return evaluate(dataset, package, self.source)

    def card(self, manifest: Mapping[str, Any], dataset: Dataset) -> CardPart:  # noqa: ARG002
        """Return the card's section on objects."""
        results, cut = manifest["results"], manifest["segmentation"]
        reached = "Nothing was measured on test fields."
        if results["mean"]:
            main = results["scores"][0]
            reached = f"Mean over the test fields: {main} **{results['mean'][main]:.4f}**."
        return CardPart(
            f"Segments objects in {manifest['input']['name']}. {reached}",
            (
                (
                    "Output: logits of background, interior and boundary, the outermost pixels of"
                    " each labeled object."
                ),
                (
                    "In the loss a class weighs as the inverse square root of its share of the"
                    " pixels, and soft Dice of interior and boundary is added."
                ),
                (
                    f"Objects: seeds where the interior has at least {cut['interior']:g}"
                    f"{_core(cut)}, grown over a foreground of at least {cut['foreground']:g};"
                    " those under"
                    f" {cut['min_area']} {_pixels(manifest)} are dropped."
                ),
            ),
            "Predicted objects against the labels of the field.",
            ("It separates touching objects only as well as the labels it was trained on do.",),
        )


def _core(cut: Mapping[str, Any]) -> str:
    return f" and is {cut['core']:g} pixels deep" if "core" in cut else ""


def _pixels(manifest: Mapping[str, Any]) -> str:
    return "pixels" if manifest["axes"] == "YX" else "voxels"


def interior_dice(predicted: npt.NDArray[np.float32], target: Values) -> float:
    """Return Dice's coefficient of the interior, logits (3, ...) against classes, (...)."""
    found, true = predicted.argmax(0) == INTERIOR, target == INTERIOR
    total = int(found.sum() + true.sum())
    return 2 * int((found & true).sum()) / total if total else 1.0


class ClassLoss(nn.Module):
    """Cross entropy weighted against frequency, and soft Dice of interior and boundary.

    A class weighs as the inverse square root of its share of the training pixels: rare boundaries
    count without drowning the rest. The Dice term is that of Milletari et al., "V-Net", 3DV 2016.
    """

    def __init__(self, train: Sequence[Pair]) -> None:
        super().__init__()
        counts = sum(
            np.bincount(pair.target.astype(np.int64).ravel(), minlength=CLASSES) for pair in train
        )
        weights = np.maximum(counts, 1) ** -0.5
        # Computed from the data, so not part of a checkpoint.
        self.register_buffer(
            "weights",
            torch.tensor(weights / weights.mean(), dtype=torch.float32),
            persistent=False,
        )

    def forward(self, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of logits (N, 3, ...) against classes (N, 1, ...)."""
        truth = target[:, 0].round().long()
        weights: torch.Tensor = self.weights  # type: ignore[assignment]
        entropy = nn.functional.cross_entropy(predicted, truth, weight=weights)
        shares = predicted.softmax(1)[:, 1:]
        wanted = nn.functional.one_hot(truth, CLASSES).movedim(-1, 1)[:, 1:].to(shares.dtype)
        # All axes but that of the classes.
        over = (0, *range(2, shares.ndim))
        both = (shares * wanted).sum(over)
        total = shares.sum(over) + wanted.sum(over)
        return entropy + 1 - ((2 * both + SMOOTH) / (total + SMOOTH)).mean()
