"""Labeled objects of an image, with their area and mean intensity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.errors import TaskError
from cytopress.image import Image, Labels

Floats = npt.NDArray[np.float64]
# Name of the score that tells how much of the light there is to measure.
CONTRAST = "contrast"
# Name of the score that tells how many objects were found.
OBJECTS = "objects"


@dataclass(frozen=True, eq=False)
class Objects:
    """Labeled objects with the measurements of each.

    Parameters
    ----------
    labels : ndarray
        (Y, X) or (Z, Y, X) int32, 0 is background, objects are numbered 1, 2, ... without a gap.
    area : ndarray
        (objects,) float64: pixels of each object; in a volume its voxels.
    intensity : ndarray
        (objects,) float64: mean of the measured image over each object, in counts, the camera's
        offset and the background included.
    spacing_um : tuple of float, optional
        Distance between neighboring samples along each axis, in micrometers.
    background : float, optional
        Median of the measured image outside the objects, in counts, the camera's offset included;
        NaN where they leave no pixel.
    distinct : bool, optional
        Whether the objects stand out from the noise: noise alone is cut into objects too.
    """

    labels: Labels
    area: Floats
    intensity: Floats
    spacing_um: tuple[float, ...] | None = None
    background: float = math.nan
    distinct: bool = True

    @property
    def count(self) -> int:
        """Number of objects."""
        return int(self.area.size)

    @property
    def physical_size(self) -> Floats | None:
        """Area of each object in um^2, or its volume in um^3; None where no spacing is known."""
        return None if self.spacing_um is None else self.area * math.prod(self.spacing_um)

    @property
    def contrast(self) -> float:
        """Share of the objects' mean intensity that is above (or below) the background.

        0 where there are no objects, or none that stands out from the noise; 1 where the objects
        leave no background.
        """
        if not self.count or not self.distinct:
            return 0.0
        mean = float(self.intensity.mean())
        if math.isnan(self.background):
            return 1.0
        return abs(mean - self.background) / abs(mean) if mean else 1.0


def measure_objects(labels: Labels, image: Image) -> Objects:
    """Measure labeled objects in an image.

    Parameters
    ----------
    labels : ndarray
        Integers of the image's shape, 0 is background; numbers may have gaps. All pixels of one
        number are one object, connected or not.
    image : Image
        The image in which intensities are measured.

    Raises
    ------
    TaskError
        The shapes differ, or the labels are not integers from 0 on.
    """
    if labels.dtype.kind not in "ui":
        raise TaskError(f"labels must be integers, not {labels.dtype}; label the mask first.")
    if labels.shape != image.shape:
        raise TaskError(
            f"objects need an image of their labels' shape {labels.shape} to be measured in, not of"
            f" {image.shape}."
        )
    numbered = _without_gaps(labels)
    areas = np.bincount(numbered)
    outside = image.pixels.ravel()[numbered == 0]
    sums = np.bincount(numbered, weights=image.pixels.ravel().astype(np.float64))
    return Objects(
        labels=numbered.reshape(labels.shape).astype(np.int32),
        area=areas[1:].astype(np.float64),
        intensity=sums[1:] / areas[1:],
        spacing_um=image.full_spacing_um,
        background=float(np.median(outside)) if outside.size else math.nan,
    )


def _without_gaps(labels: Labels) -> npt.NDArray[np.intp]:
    """Return the labels as a flat array, objects numbered 1, 2, ... in their order."""
    flat = labels.ravel()
    if flat.min() < 0:
        raise TaskError(f"labels must not be negative, but one is {flat.min()}; renumber them.")
    if flat.max() >= flat.size:
        names, numbered = np.unique(flat, return_inverse=True)
        # Without background, the first object must not become it.
        return np.asarray(numbered + int(names[0] != 0))
    # A table of all numbers is many times as fast as sorting the pixels.
    flat = flat.astype(np.intp)
    used = np.bincount(flat) > 0
    used[0] = False
    return np.asarray(np.cumsum(used)[flat])


def without_small(labels: Labels, min_area: int) -> Labels:
    """Remove the objects of fewer than ``min_area`` pixels or voxels; numbers get gaps."""
    small = np.bincount(labels.ravel()) < min_area
    return np.where(small[labels], 0, labels)


def as_objects(name: str, prediction: object, reference: object) -> tuple[Objects, Objects]:
    """Check that the task ``name`` can compare two predictions as objects of one field of view.

    Raises
    ------
    TaskError
        One is not `Objects`, or the shapes of their images differ.
    """
    if not isinstance(prediction, Objects) or not isinstance(reference, Objects):
        raise TaskError(f"{name} scores objects against objects.")
    if prediction.labels.shape != reference.labels.shape:
        raise TaskError(
            f"{name} scores objects in images of equal shape, not {prediction.labels.shape} against"
            f" {reference.labels.shape}."
        )
    return prediction, reference


def relative_error(found: float, expected: float) -> float:
    """Return the absolute error of ``found`` relative to ``expected``.

    For an expected 0, where it is not defined: 0 if ``found`` is 0 too, else 1.
    """
    return error_in_units(found, expected, unit=expected)


def signal_error(found: float, expected: float, reference: Objects) -> float:
    """Return the absolute error of an intensity relative to its signal above the background.

    Both the camera's offset and the background make an error relative to the whole intensity
    small. The signal is that of the reference, so a shift of all pixels is an error too.
    """
    background = reference.background
    return error_in_units(
        found, expected, unit=expected if math.isnan(background) else expected - background
    )


def error_in_units(found: float, expected: float, *, unit: float) -> float:
    """Return the absolute error in a unit; where that is 0: 0 if there is no error, else 1."""
    if unit == 0:
        return float(found != expected)
    return abs(found - expected) / abs(unit)
