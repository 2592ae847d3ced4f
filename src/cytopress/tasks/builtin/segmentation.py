"""Segmentation of nuclei or cells: an image in, its objects out.

The network sees the image standardized by its own mean and standard deviation, so a codec's gain
and offset do not change what is outlined. The objects are measured in the image itself, in counts,
where both are seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from cytopress.errors import PackageError
from cytopress.image import Image
from cytopress.tasks.builtin.instances import CLASSES, instances, relative_spacing
from cytopress.tasks.builtin.labelfree import standardize
from cytopress.tasks.builtin.packaged import PackagedTask
from cytopress.tasks.matching import Matches, match
from cytopress.tasks.objects import Objects, as_objects, measure_objects, relative_error
from cytopress.tasks.protocol import Prediction, Score, Truth
from cytopress.tiling import Values

# The main one is averaged over thresholds of IoU: outlines move long before an object is lost.
SCORES = (
    Score("average_precision", "", "higher"),
    Score("average_precision_50", "", "higher"),
    Score("f1_50", "", "higher"),
    Score("count_error", "", "lower"),
    Score("area_error", "", "lower"),
    Score("intensity_error", "", "lower"),
)
# Of what an object of a volume has in the place of an area.
VOLUME_SCORES = tuple(
    Score("volume_error", "", "lower") if score.name == "area_error" else score for score in SCORES
)


@dataclass(frozen=True)
class Segmentation(PackagedTask):
    """A segmentation model from a package: see `PackagedTask`.

    Its network gives three channels, the logits of background, interior and boundary. Its manifest
    gives ``input`` with the ``name`` of what is looked at, and ``segmentation`` with ``interior``,
    ``foreground`` (probabilities), ``min_area`` (pixels, in a volume voxels) and, if it likes,
    ``core`` (pixels of the plane; see `instances`).

    Raises
    ------
    PackageError
        The manifest lacks one of these, or one makes no sense.
    """

    model: ClassVar[str] = "segmentation"
    needed: ClassVar[tuple[str, ...]] = ("input.name", "segmentation")
    truth: ClassVar[Truth] = "labels"

    def __post_init__(self) -> None:
        super().__post_init__()
        options = self.package.manifest["segmentation"]
        for key in ("interior", "foreground"):
            value = options.get(key)
            if not _is_number(value) or not 0 < value < 1:
                self._refuse(key, "a probability between 0 and 1", value)
        least = options.get("min_area")
        # NaN is not refused by being below 0.
        for key, value in (("min_area", least), ("core", options.get("core", 0.0))):
            if not _is_number(value) or not value >= 0:
                self._refuse(key, "a number of pixels from 0 on", value)

    def _refuse(self, key: str, expected: str, found: object) -> None:
        raise PackageError(
            f"{self.package.path}: segmentation.{key} in the manifest must be {expected}, not"
            f" {found!r}; export it again."
        )

    @property
    def scores(self) -> tuple[Score, ...]:
        """The numbers that ``score`` returns, the main one first."""
        return SCORES if self.axes == "YX" else VOLUME_SCORES

    def predict(self, image: Image) -> Objects:
        """Find the objects in one plane or volume of any size, and measure them in it.

        Parameters
        ----------
        image : Image
            Of the model's axes, any dtype. A constant image holds no objects.

        Returns
        -------
        Objects
            Areas in pixels or volumes in voxels, intensities in counts of the image given.

        Raises
        ------
        TaskError
            The image has other axes than the model.
        PackageError
            The network gives something else than three channels.
        """
        self._check_axes("segments", image)
        standardized = standardize(image.pixels)
        if not standardized.any():
            # What a network says of an empty field is about its biases.
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
        the relative error of the number of objects. ``area_error``, which is ``volume_error`` in a
        volume, and ``intensity_error`` are the median over the objects matched at 0.5 of each one's
        own relative error: 0 where there are no objects at all, 1 where none is matched.

        Raises
        ------
        TaskError
            One is no Objects, or their images' shapes differ.
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
        }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _median_error(found: Any, expected: Any, matches: Matches) -> float:
    if not matches.iou.size:
        return float(sum(matches.objects) > 0)
    pairs = zip(found[matches.prediction], expected[matches.reference], strict=True)
    return float(np.median([relative_error(one, other) for one, other in pairs]))
