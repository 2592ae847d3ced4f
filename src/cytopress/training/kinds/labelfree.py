"""Label-free prediction: standardized transmitted light in, standardized fluorescence out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from cytopress.datasets.dataset import Dataset, Field
from cytopress.image import Image
from cytopress.models.model_package import Package
from cytopress.tasks.builtin.labelfree import LabelFree, pearson_or_zero, standardize
from cytopress.training.baseline import fit_filter_bank
from cytopress.training.config import TaskTraining
from cytopress.training.evaluate import means, score_fields
from cytopress.training.kinds.kind import CardPart
from cytopress.training.module import TaskModule
from cytopress.training.pairs import Pair, Values
from cytopress.training.targets import measure_targets


@dataclass(frozen=True)
class LabelFreeKind:
    """FNet: the mean squared error between standardized images."""

    outputs: int = 1
    score: str = "pearson"
    interpolation: str = "linear"

    @property
    def selects(self) -> bool:
        """True: the best average is kept."""
        return True

    @property
    def identity(self) -> dict[str, str]:
        """No further inputs."""
        return {}

    def source(self, dataset: Dataset, field: Field) -> Image:
        """Return the transmitted light."""
        return dataset.read_input(field)

    def target(self, dataset: Dataset, field: Field) -> Values:
        """Return the fluorescence with mean 0 and standard deviation 1."""
        return standardize(dataset.read_target(field).pixels)

    def module(self, config: TaskTraining, train: Sequence[Pair]) -> TaskModule:  # noqa: ARG002
        """Return a module of the mean squared error, validated by Pearson's r."""
        return TaskModule(config, nn.functional.mse_loss, pearson, score=self.score)

    def manifest(self, dataset: Dataset) -> dict[str, Any]:
        """Return the intensities by which standard deviations become counts."""
        facts = measure_targets(dataset, dataset.part("train"))
        return {
            "input": {"name": dataset.input, "normalization": "image mean and standard deviation"},
            "target": {"name": dataset.target, "unit": "counts", **asdict(facts)},
        }

    def results(self, dataset: Dataset, package: Package, train: Sequence[Pair]) -> dict[str, Any]:
        """Return the scores of the network and of the linear filter bank.

        Both are given in counts of the target by the same rule, and the bank is fitted on the very
        fields that the network was trained on.
        """
        task, bank, target = LabelFree(package), fit_filter_bank(train), package.manifest["target"]

        def linear(image: Image) -> Image:
            predicted = bank.predict(standardize(image.pixels))
            return Image(predicted * np.float32(target["std"]) + np.float32(target["mean"]))

        network = score_fields(dataset, task, self.source, task.predict)
        baseline = score_fields(dataset, task, self.source, linear)
        return {
            "scores": [score.name for score in task.scores],
            "fields": network,
            "mean": means(network),
            "baseline_fields": baseline,
            "baseline_mean": means(baseline),
        }

    def card(self, manifest: Mapping[str, Any], dataset: Dataset) -> CardPart:
        """Return the card's section on predictions in counts."""
        mean, target = manifest["results"]["mean"], manifest["target"]
        reached = "The dataset has no test fields, so nothing is known about its accuracy."
        if mean:
            base = manifest["results"]["baseline_mean"]["pearson"]
            reached = (
                f"Mean over the test fields: Pearson r **{mean['pearson']:.4f}**, a linear filter"
                f" bank fitted on the same fields {base:.4f}."
            )
        return CardPart(
            f"Predicts {dataset.target} from {dataset.input}. {reached}",
            (
                (
                    f"Output: counts, `z * {target['std']:.6g} + {target['mean']:.6g}`: standard"
                    " deviation and mean of a target, averaged over the training fields. In"
                    " training each target was standardized by itself."
                ),
                (
                    "Data range of the target, for SSIM and the normalized error:"
                    f" {target['data_range']:.6g} counts."
                ),
            ),
            "Prediction against ground truth, in counts. In brackets: the linear filter bank.",
            (
                (
                    "Predictions are in the scale of the training fields: a field twice as bright"
                    " is predicted at their\n  brightness. Pearson's r does not see that, the"
                    " normalized error does."
                ),
            ),
        )


def pearson(predicted: npt.NDArray[np.float32], target: Values) -> float:
    """Return Pearson's r of one field, (1, ...) against (Y, X) or (Z, Y, X)."""
    return pearson_or_zero(target, predicted[0])
