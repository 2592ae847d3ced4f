"""Segmentation of nuclei or cells by a network, with measurements of each object.

The image is standardized by its own mean and standard deviation, so a codec's gain and offset do
not change the outlines. Objects are measured in the image itself, in counts, where both show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from cytopress.errors import PackageError
from cytopress.image import Image
from cytopress.tasks.builtin.instances import CLASSES, instances, relative_spacing
from cytopress.tasks.builtin.labelfree import standardize
from cytopress.tasks.builtin.packaged import PackagedTask, is_number
from cytopress.tasks.matching import Matches, match
from cytopress.tasks.objects import (
    CONTRAST,
    OBJECTS,
    Objects,
    as_objects,
    measure_objects,
    relative_error,
    signal_error,
)
from cytopress.tasks.protocol import Prediction, Score, Truth
from cytopress.tiling import Values

# The main one is averaged over IoU thresholds: outlines change long before an object is lost.
SCORES = (
    Score("average_precision", "", "higher"),
    Score("average_precision_50", "", "higher"),
    Score("f1_50", "", "higher"),
    Score("count_error", "", "lower"),
    Score("area_error", "", "lower"),
    Score("intensity_error", "", "lower"),
    Score("signal_error", "", "lower"),
    Score(CONTRAST, "", "higher"),
    Score(OBJECTS, "objects", "higher"),
)
# Objects of a volume have a volume instead of an area.
VOLUME_SCORES = tuple(
    Score("volume_error", "", "lower") if score.name == "area_error" else score for score in SCORES
)


@dataclass(frozen=True)
class Segmentation(PackagedTask):
    """A segmentation model from a package: see `PackagedTask`.

    Its network has three output channels, the logits of background, interior and boundary. Its
    manifest has ``input`` with the ``name`` of the modality, and ``segmentation`` with
    ``interior``, ``foreground`` (probabilities), ``min_area`` (pixels, in a volume voxels) and
    optionally ``core`` (pixels of the plane; see `instances`).

    Raises
    ------
    PackageError
        The manifest lacks one of these, or a value is out of range.
    """

    model: ClassVar[str] = "segmentation"
    needed: ClassVar[tuple[str, ...]] = ("input.name", "segmentation")
    truth: ClassVar[Truth] = "labels"

    def __post_init__(self) -> None:
        super().__post_init__()
        options = self.package.manifest["segmentation"]
        if not isinstance(options, dict):
            self._refuse("interior", "in a table", options)
        for key in ("interior", "foreground"):
            value = options.get(key)
            if not is_number(value) or not 0 < value < 1:
                self._refuse(key, "a probability between 0 and 1", value)
        least = options.get("min_area")
        # `value < 0` would accept NaN.
        for key, value in (("min_area", least), ("core", options.get("core", 0.0))):
            if not is_number(value) or not value >= 0:
                self._refuse(key, "a number of pixels from 0 on", value)

    def _refuse(self, key: str, expected: str, found: object) -> None:
        raise PackageError(
            f"{self.package.path}: segmentation.{key} in the manifest must be {expected}, not"
            f" {found!r}; export it again."
        )

    @property
    def scores(self) -> tuple[Score, ...]:
        """The scores that ``score`` returns, the main one first."""
        return SCORES if self.axes == "YX" else VOLUME_SCORES

    def predict(self, image: Image) -> Objects:
        """Find the objects of one plane or volume of any size, and measure them.

        Parameters
        ----------
        image : Image
            An image of the model's axes, any dtype. A constant image has no objects.

        Returns
        -------
        Objects
            Areas in pixels or volumes in voxels, intensities in counts of the input.

        Raises
        ------
        TaskError
            The image has other axes than the model.
        PackageError
            The network's output does not have three channels.
        """
        self._check_axes("segments", image)
        standardized = standardize(image.pixels)
        if not standardized.any():
            # The output of a network for an empty field shows its biases only.
            return measure_objects(np.zeros(image.shape, np.int32), image)
        options = self.package.manifest["segmentation"]
        labels = instances(
            self._run(standardized),
            interior=options["interior"],
            foreground=options["foreground"],
            min_area=options["min_area"],
            core=options.get("core", 0.0),
            spacing=relative_spacing(image),
        )
        return measure_objects(labels, image)

    def _network(self, seen: Values) -> Values:
        logits = super()._network(seen)
        expected = (len(CLASSES), *seen.shape)
        if logits.shape != expected:
            raise PackageError(
                f"{self.package.path}: the network of a segmentation model gives {expected}"
                f" ({', '.join(CLASSES)}), not {logits.shape}; export it again."
            )
        return logits

    def score(
        self,
        prediction: Prediction,
        reference: Prediction,
        image: Image,  # noqa: ARG002
    ) -> dict[str, float]:
        """Compare two sets of objects in one field of view.

        ``average_precision`` is TP / (TP + FP + FN), averaged over IoU above 0.5, 0.55, ..., 0.9;
        ``average_precision_50`` is that at 0.5, ``f1_50`` the F1 score there. ``count_error`` is
        the relative error of the number of objects. ``area_error`` (``volume_error`` for volumes)
        and ``intensity_error`` are medians of the relative errors of the objects matched at 0.5: 0
        where there are no objects at all, 1 where none is matched. ``signal_error`` is
        ``intensity_error`` relative to the reference's signal above its background, ``contrast``
        the share of the prediction's intensity that is above its own, ``objects`` their number
        there.

        Raises
        ------
        TaskError
            One is not `Objects`, or the shapes of their images differ.
        """
        found, expected = as_objects(self.name, prediction, reference)
        matches = match(found, expected)
        size = "area_error" if self.axes == "YX" else "volume_error"
        return {
            "average_precision": matches.average_precision(),
            "average_precision_50": matches.average_precision([0.5]),
            "f1_50": matches.f1(0.5),
            "count_error": relative_error(found.count, expected.count),
            size: _median_error(found.area, expected.area, matches),
            "intensity_error": _median_error(found.intensity, expected.intensity, matches),
            "signal_error": _median_error(
                found.intensity,
                expected.intensity,
                matches,
                partial(signal_error, reference=expected),
            ),
            CONTRAST: found.contrast,
            OBJECTS: float(found.count),
        }


def _median_error(
    found: Any,
    expected: Any,
    matches: Matches,
    error: Callable[[float, float], float] = relative_error,
) -> float:
    if not matches.iou.size:
        return float(sum(matches.objects) > 0)
    pairs = zip(found[matches.prediction], expected[matches.reference], strict=True)
    return float(np.median([error(one, other) for one, other in pairs]))
