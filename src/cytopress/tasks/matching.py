"""Which predicted object is which object of the reference, and how many were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.tasks.objects import Floats, Objects

Indices = npt.NDArray[np.intp]
# 0.50, 0.55, ..., 0.90, each the nearest float to its decimal.
THRESHOLDS: tuple[float, ...] = tuple(percent / 100 for percent in range(50, 95, 5))


@dataclass(frozen=True, eq=False)
class Matches:
    """Pairs of objects that share more than half of their union.

    Parameters
    ----------
    reference, prediction : ndarray
        (pairs,) index of each object into the measurements of its side, from 0.
    iou : ndarray
        (pairs,) float64, intersection over union of each pair, above 0.5.
    objects : tuple of int
        How many there are in the reference, and in the prediction.
    """

    reference: Indices
    prediction: Indices
    iou: Floats
    objects: tuple[int, int]

    def f1(self, threshold: float) -> float:
        """Return 2 TP / (2 TP + FP + FN), a match being an IoU above ``threshold`` (>= 0.5).

        Without an object on either side all is found: 1.
        """
        total = sum(self.objects)
        return 2 * self._true_positives(threshold) / total if total else 1.0

    def average_precision(self, thresholds: Sequence[float] = THRESHOLDS) -> float:
        """Return TP / (TP + FP + FN), averaged over the thresholds of IoU (each >= 0.5).

        This is what the 2018 Data Science Bowl (Caicedo et al., Nature Methods 2019), StarDist and
        Cellpose call average precision. Without an object on either side it is 1.
        """
        total = sum(self.objects)
        if not total:
            return 1.0
        found = [self._true_positives(threshold) for threshold in thresholds]
        return float(np.mean([true / (total - true) for true in found]))

    def _true_positives(self, threshold: float) -> int:
        return int(np.count_nonzero(self.iou > threshold))


def match(prediction: Objects, reference: Objects) -> Matches:
    """Pair the objects of two label images of one shape.

    Two objects that cover more than half of their union are each other's only such partner, so the
    pairing is unique and needs no assignment to be solved.
    """
    ours, theirs = prediction.labels, reference.labels
    both = (ours > 0) & (theirs > 0)
    codes = theirs[both].astype(np.int64) * (prediction.count + 1) + ours[both]
    pairs, shared = np.unique(codes, return_counts=True)
    there, here = np.divmod(pairs, prediction.count + 1)
    there, here = there - 1, here - 1
    iou: npt.NDArray[Any] = shared / (reference.area[there] + prediction.area[here] - shared)
    kept = iou > THRESHOLDS[0]
    return Matches(there[kept], here[kept], iou[kept], (reference.count, prediction.count))
