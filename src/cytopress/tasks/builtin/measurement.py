"""Measurement of objects in fluorescence by smoothing, Otsu's threshold and labeling.

This is the simplest analysis that most labs run. Nothing is standardized: a codec that changes the
intensity changes the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cytopress.digests import digest_text
from cytopress.errors import UsageError
from cytopress.image import Image, Labels
from cytopress.tasks.builtin.otsu import otsu_threshold
from cytopress.tasks.label_images import components
from cytopress.tasks.objects import (
    CONTRAST,
    OBJECTS,
    Floats,
    Objects,
    as_objects,
    measure_objects,
    relative_error,
    signal_error,
    without_small,
)
from cytopress.tasks.protocol import Prediction, Score, Truth

# The main one is the intensity, which follows every change of the light; a count moves in steps.
SCORES = (
    Score("intensity_error", "", "lower"),
    Score("count_error", "", "lower"),
    Score("area_error", "", "lower"),
    Score("signal_error", "", "lower"),
    Score(CONTRAST, "", "higher"),
    Score(OBJECTS, "objects", "higher"),
)
# Distance between the means of the two classes of Otsu's threshold, in standard deviations of the
# darker one. It is 2.65 for any normal distribution, such as of a blank field, and 3.46 for a
# uniform one, such as of a blank field in uneven light.
LEAST_SEPARATION = 3.5
# Incremented when equal options give another result.
VERSION = 1


@dataclass(frozen=True)
class Measurement:
    """Count bright objects, and measure their area (in a volume their volume) and mean intensity.

    Parameters
    ----------
    sigma : float, optional
        Standard deviation, in pixels, of the Gaussian filter before the threshold. Intensities are
        measured in the image as it is. In a volume it is in pixels of the plane, with the same
        physical distance along Z if the spacing is known.
    min_area : int, optional
        Pixels, in a volume voxels; smaller objects are removed as noise.

    Raises
    ------
    UsageError
        An option is negative or not finite.
    """

    sigma: float = 1.0
    min_area: int = 20
    name: ClassVar[str] = "measurement"
    scores: ClassVar[tuple[Score, ...]] = SCORES
    # Without ground truth: a codec's error could undo one of the threshold, and look like a gain.
    truth: ClassVar[Truth] = "none"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise UsageError(
                f"measurement's sigma must be a number of pixels from 0, not {self.sigma}."
            )
        if self.min_area < 0:
            raise UsageError(
                f"measurement's min_area must be a number of pixels from 0, not {self.min_area}."
            )

    @property
    def weights(self) -> str:
        """Hexadecimal sha256 of the options and the version, since there are no weights."""
        recipe = f"{self.name} {VERSION}: sigma={self.sigma!r}, min_area={self.min_area!r}"
        return digest_text(recipe)

    def predict(self, image: Image) -> Objects:
        """Find the bright objects of one plane or volume, and measure them.

        Parameters
        ----------
        image : Image
            Any dtype, bright objects on a dark background. A constant image has none. Pixels and
            voxels that touch at a corner belong to one object.

        Returns
        -------
        Objects
            Areas in pixels or volumes in voxels, intensities in counts of the input. They are not
            distinct where the threshold parts noise from noise, as in a blank field.
        """
        labels, distinct = self._labels(image)
        found = measure_objects(without_small(labels, self.min_area), image)
        return replace(found, distinct=distinct)

    def _labels(self, image: Image) -> tuple[Labels, bool]:
        """Return the labels, and whether they stand out from the noise."""
        from scipy.ndimage import gaussian_filter

        pixels = image.pixels
        if pixels.min() == pixels.max():
            # Otsu's threshold needs two classes.
            return np.zeros(pixels.shape, np.int32), False
        smooth = gaussian_filter(pixels.astype(np.float64), self._sigmas(image))
        bright = smooth > otsu_threshold(smooth)
        return components(bright, corners=True), _separation(smooth, bright) >= LEAST_SEPARATION

    def _sigmas(self, image: Image) -> tuple[float, ...]:
        if image.axes == "YX" or image.full_spacing_um is None:
            return (self.sigma,) * len(image.axes)
        apart, row, _ = image.full_spacing_um
        return (self.sigma * row / apart, self.sigma, self.sigma)

    def score(
        self,
        prediction: Prediction,
        reference: Prediction,
        image: Image,  # noqa: ARG002
    ) -> dict[str, float]:
        """Compare two measurements: relative errors of the count and of the means over objects.

        ``area_error`` is that of the mean volume for volumes. Objects are not matched: the errors
        are those of the numbers that are reported for a field of view. If only one side has
        objects, the errors of area and intensity are 1. ``intensity_error`` is relative to all of
        the light, the camera's offset and the background included, ``signal_error`` to what the
        reference has above its background, and ``contrast`` is the share of the one in the other,
        in the prediction. ``objects`` is their number there.

        Raises
        ------
        TaskError
            One is not `Objects`, or the shapes of their images differ.
        """
        found, expected = as_objects(self.name, prediction, reference)
        return {
            "intensity_error": _mean_error(found.intensity, expected.intensity),
            "count_error": relative_error(found.count, expected.count),
            "area_error": _mean_error(found.area, expected.area),
            "signal_error": _mean_error(
                found.intensity, expected.intensity, partial(signal_error, reference=expected)
            ),
            CONTRAST: found.contrast,
            OBJECTS: float(found.count),
        }


def _mean_error(
    found: Floats, expected: Floats, error: Callable[[float, float], float] = relative_error
) -> float:
    if not found.size or not expected.size:
        return float(found.size != expected.size)
    return error(float(found.mean()), float(expected.mean()))


def _separation(smooth: Floats, bright: npt.NDArray[np.bool_]) -> float:
    """Return the distance between two classes in standard deviations of the darker one."""
    dark = smooth[~bright]
    if dark.size in (0, smooth.size):
        return 0.0
    spread = float(dark.std())
    apart = float(smooth[bright].mean() - dark.mean())
    return apart / spread if spread else math.inf
