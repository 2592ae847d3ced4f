"""What is made of a foreign model's answer, and how two such answers are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cytopress.errors import NotAvailableError, TaskError
from cytopress.image import Image, Labels, Pixels
from cytopress.metrics import METRICS, metric
from cytopress.metrics.data_range import data_range
from cytopress.tasks.builtin.labelfree import pearson_or_zero
from cytopress.tasks.foreign.options import Model
from cytopress.tasks.objects import Objects, measure_objects
from cytopress.tasks.protocol import Prediction, Score
from cytopress.tiling import Values


@dataclass(frozen=True)
class ImageAnswer:
    """Values of pixels, compared by metrics.

    Parameters
    ----------
    names : tuple of str
        Metrics, the main one first.
    range : float or None
        The data range of the metrics. Without one it is the 0.01 to 99.99 percentile span of each
        reference, never of what is compared with it.
    """

    names: tuple[str, ...]
    range: float | None

    @property
    def scores(self) -> tuple[Score, ...]:
        """The metrics as a task declares them."""
        return tuple(Score(name, METRICS[name].unit, METRICS[name].better) for name in self.names)

    def make(self, values: Values, image: Image) -> Image:
        """Return the values as an image of the input's spacing.

        Raises
        ------
        TaskError
            Some are NaN or infinite.
        """
        if not np.isfinite(values).all():
            raise TaskError("the model answers NaN or infinity; check how its input is normalized.")
        return Image(values, spacing_um=image.spacing_um, name=image.name)

    def compare(self, prediction: Prediction, reference: Prediction) -> dict[str, float]:
        """Compare two images; Pearson's r is 0 where one is constant.

        Raises
        ------
        TaskError
            One is no image, their shapes differ, or a metric is not defined for them.
        """
        if not isinstance(prediction, Image) or not isinstance(reference, Image):
            raise TaskError("images are scored against images.")
        if prediction.shape != reference.shape:
            raise TaskError(
                f"images of one shape are scored, not {prediction.shape} against {reference.shape}."
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
    # A target in counts is compared with a prediction in floats: only the values matter.
    return float(metric(name).function(reference, test, span))


@dataclass(frozen=True)
class LabelsAnswer:
    """Objects: the connected parts above a threshold, compared by number and foreground.

    Parameters
    ----------
    names : tuple of str
        Of ``count_error`` (the difference in number as a share of the reference's), ``iou`` and
        ``dice`` (of the foregrounds), the main one first.
    threshold : float
        Values above it are foreground.
    min_area : int
        Pixels of the smallest object.
    """

    names: tuple[str, ...]
    threshold: float
    min_area: int

    @property
    def scores(self) -> tuple[Score, ...]:
        """The numbers as a task declares them."""
        return tuple(
            Score(name, "", "lower" if name == "count_error" else "higher") for name in self.names
        )

    def make(self, values: Values, image: Image) -> Objects:
        """Label the values and measure the objects in the input image; parts touch by faces."""
        from skimage.measure import label

        labels: Labels = label(  # type: ignore[no-untyped-call]
            values > self.threshold, connectivity=1
        )
        if self.min_area > 1:
            small = np.bincount(labels.ravel()) < self.min_area
            labels = np.where(small[labels], 0, labels)
        return measure_objects(labels, image)

    def compare(self, prediction: Prediction, reference: Prediction) -> dict[str, float]:
        """Compare two sets of objects; two empty foregrounds agree.

        Raises
        ------
        TaskError
            One is no set of objects, or their shapes differ.
        """
        if not isinstance(prediction, Objects) or not isinstance(reference, Objects):
            raise TaskError("objects are scored against objects.")
        if prediction.labels.shape != reference.labels.shape:
            raise TaskError(
                f"labels of one shape are scored, not {prediction.labels.shape} against"
                f" {reference.labels.shape}."
            )
        return {name: COMPARISONS[name](prediction, reference) for name in self.names}


def count_error(test: Objects, reference: Objects) -> float:
    """Difference in the number of objects as a share of the reference's, or of one object."""
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
Answer = ImageAnswer | LabelsAnswer


def answer_of(model: Model) -> Answer:
    """Return what a declaration asks to make of its model's answer."""
    output = model.output
    if output.form == "labels":
        names = model.score or ("count_error", "iou")
        return LabelsAnswer(names, output.threshold, output.min_area)
    # A probability has a range of its own.
    span = model.range or (1.0 if output.form == "probability" else None)
    return ImageAnswer(model.score or ("pearson", "nrmse"), span)
