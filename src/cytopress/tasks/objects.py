"""Objects in an image: their labels, and what most labs measure of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import TaskError
from cytopress.image import Image

Labels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Objects:
    """Labeled objects with the measurements of each.

    Parameters
    ----------
    labels : ndarray
        (Y, X) int32, 0 is background, objects are numbered 1, 2, ... without a gap.
    area : ndarray
        (objects,) float64: pixels of each object.
    intensity : ndarray
        (objects,) float64: mean of the measured image over each object, in counts.
    """

    labels: Labels
    area: Floats
    intensity: Floats

    @property
    def count(self) -> int:
        """How many objects there are."""
        return int(self.area.size)


def measure_objects(labels: Labels, image: Image) -> Objects:
    """Measure labeled objects in an image.

    Parameters
    ----------
    labels : ndarray
        Integers of the image's shape, 0 is background; numbers may have gaps.
    image : Image
        What the intensity is measured in.

    Raises
    ------
    TaskError
        The shapes differ.
    """
    if labels.shape != image.shape:
        raise TaskError(
            f"objects are measured in an image of their labels' shape {labels.shape}, not of"
            f" {image.shape}."
        )
    names, numbered = np.unique(labels, return_inverse=True)
    numbered = numbered.reshape(labels.shape)
    if names[0] != 0:
        # Without background the first object would be taken for it.
        numbered = numbered + 1
    areas = np.bincount(numbered.ravel())
    sums = np.bincount(numbered.ravel(), weights=image.pixels.ravel().astype(np.float64))
    return Objects(
        labels=numbered.astype(np.int32),
        area=areas[1:].astype(np.float64),
        intensity=sums[1:] / np.maximum(areas[1:], 1),
    )
