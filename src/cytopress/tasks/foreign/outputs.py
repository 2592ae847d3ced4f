"""Outputs of foreign models, read as images or objects, and their comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cytopress.errors import NotAvailableError, TaskError
from cytopress.image import Image, Pixels
from cytopress.metrics import METRICS, metric
from cytopress.metrics.data_range import data_range
from cytopress.tasks.builtin.labelfree import pearson_or_zero
from cytopress.tasks.foreign.options import Model
from cytopress.tasks.label_images import components
from cytopress.tasks.objects import OBJECTS, Objects, measure_objects, without_small
from cytopress.tasks.protocol import Prediction, Score
from cytopress.tiling import Values


@dataclass(frozen=True)
class ImageOutput:
    """An output read as an image, compared by metrics.

    Parameters
    ----------
    names : tuple of str
        Metrics, the main one first.
    range : float or None
        The data range of the metrics; that of each reference (see `data_range`) unless given.
    """

    names: tuple[str, ...]
    range: float | None

    @property
    def scores(self) -> tuple[Score, ...]:
        """The metrics as scores of a task."""
        return tuple(Score(name, METRICS[name].unit, METRICS[name].better) for name in self.names)

    def make(self, values: Values, image: Image) -> Image:
        """Return the values as an image of the input's spacing.

        Raises
        ------
        TaskError
            Values are NaN or infinite.
        """
        if not np.isfinite(values).all():
            raise TaskError("the model returns NaN or infinity; check its input's normalization.")
        return Image(values, spacing_um=image.spacing_um, name=image.name)

    def compare(self, prediction: Prediction, reference: Prediction) -> dict[str, float]:
        """Compare two images; Pearson's r is 0 where one is constant.

        Raises
        ------
        TaskError
            One is not an image, their shapes differ, or a metric is not defined for them.
        """
        if not isinstance(prediction, Image) or not isinstance(reference, Image):
            raise TaskError("images are scored against images.")
        if prediction.shape != reference.shape:
            raise TaskError(
                f"images must have equal shapes, not {prediction.shape} and {reference.shape}."
            )
        span = self.range or data_range([reference.pixels])
        try:
            return {
                name: _measured(name, reference.pixels, prediction.pixels, span)
                for name in self.names
            }
        except NotAvailableError as error:
            raise TaskError(f"these images cannot be scored: {error}") from error


def _measured(name: str, reference: Pixels, test: Pixels, span: float) -> float:
    if name == "pearson":
        return pearson_or_zero(reference, test)
    # A target in counts is compared with a prediction in floats, so dtypes are not checked.
    return float(metric(name).function(reference, test, span))


@dataclass(frozen=True)
class LabelsOutput:
    """An output read as objects (connected components above a threshold), compared by overlap.

    Parameters
    ----------
    names : tuple of str
        Names of ``count_error`` (the relative difference in number), ``iou`` and ``dice`` (of the
        foregrounds), the main one first.
    threshold : float
        Values above it are foreground.
    min_area : int
        Smallest object, in pixels.
    """

    names: tuple[str, ...]
    threshold: float
    min_area: int

    @property
    def scores(self) -> tuple[Score, ...]:
        """The comparisons as scores of a task."""
        chosen = [
            Score(name, "", "lower" if name == "count_error" else "higher") for name in self.names
        ]
        return (*chosen, *([Score(OBJECTS, OBJECTS, "higher")] if self.counts else []))

    @property
    def counts(self) -> bool:
        """Whether the number of objects matters, and is a score too."""
        return "count_error" in self.names

    def make(self, values: Values, image: Image) -> Objects:
        """Label face-connected components, and measure them in the input image."""
        labels = components(values > self.threshold)
        return measure_objects(without_small(labels, self.min_area), image)

    def compare(self, prediction: Prediction, reference: Prediction) -> dict[str, float]:
        """Compare two sets of objects; two empty foregrounds agree.

        Raises
        ------
        TaskError
            One is not `Objects`, or their shapes differ.
        """
        if not isinstance(prediction, Objects) or not isinstance(reference, Objects):
            raise TaskError("objects are scored against objects.")
        if prediction.labels.shape != reference.labels.shape:
            raise TaskError(
                f"labels must have equal shapes, not {prediction.labels.shape} and"
                f" {reference.labels.shape}."
            )
        scores = {name: COMPARISONS[name](prediction, reference) for name in self.names}
        return scores | ({OBJECTS: float(prediction.count)} if self.counts else {})


def count_error(test: Objects, reference: Objects) -> float:
    """Difference in the number of objects relative to the reference, or to one for none there."""
    return abs(test.count - reference.count) / max(reference.count, 1)


def iou(test: Objects, reference: Objects) -> float:
    """Intersection over union of the foregrounds (Jaccard index); 1 where both are empty."""
    common, either = _overlap(test, reference)
    return common / either if either else 1.0


def dice(test: Objects, reference: Objects) -> float:
    """Twice the intersection over the sum of the foregrounds (Dice); 1 where both are empty."""
    common, either = _overlap(test, reference)
    return 2 * common / (common + either) if either else 1.0


def _overlap(test: Objects, reference: Objects) -> tuple[int, int]:
    one, other = test.labels > 0, reference.labels > 0
    return int(np.count_nonzero(one & other)), int(np.count_nonzero(one | other))


COMPARISONS: Mapping[str, Callable[[Objects, Objects], float]] = {
    "count_error": count_error,
    "iou": iou,
    "dice": dice,
}
ModelOutput = ImageOutput | LabelsOutput


def output_of(model: Model) -> ModelOutput:
    """Return the way in which a declaration reads its model's output."""
    output = model.output
    if output.form == "labels":
        names = model.score or ("count_error", "iou")
        return LabelsOutput(names, output.threshold, output.min_area)
    # A probability has a fixed range.
    span = model.range or (1.0 if output.form == "probability" else None)
    return ImageOutput(model.score or ("pearson", "nrmse"), span)
