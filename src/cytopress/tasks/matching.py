"""Matching of predicted objects with reference objects by IoU, and detection scores."""

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
    """Matched objects: pairs whose intersection is more than half of their union.

    Parameters
    ----------
    reference, prediction : ndarray
        (pairs,) index of each object in its own `Objects`, from 0.
    iou : ndarray
        (pairs,) float64, intersection over union of each pair, above 0.5.
    objects : tuple of int
        Number of objects in the reference and in the prediction.
    """

    reference: Indices
    prediction: Indices
    iou: Floats
    objects: tuple[int, int]

    def f1(self, threshold: float) -> float:
        """Return 2 TP / (2 TP + FP + FN), with matches of IoU above ``threshold`` (>= 0.5).

        1 where neither side has an object.
        """
        total = sum(self.objects)
        return 2 * self._true_positives(threshold) / total if total else 1.0

    def average_precision(self, thresholds: Sequence[float] = THRESHOLDS) -> float:
        """Return TP / (TP + FP + FN), averaged over the thresholds of IoU (each >= 0.5).

        This is what the 2018 Data Science Bowl (Caicedo et al., Nature Methods 2019), StarDist and
        Cellpose call average precision. 1 where neither side has an object.
        """
        total = sum(self.objects)
        if not total:
            return 1.0
        found = [self._true_positives(threshold) for threshold in thresholds]
        return float(np.mean([true / (total - true) for true in found]))

    def _true_positives(self, threshold: float) -> int:
        return int(np.count_nonzero(self.iou > threshold))


def match(prediction: Objects, reference: Objects) -> Matches:
    """Match the objects of two label images of equal shape.

    With an IoU above 0.5 an object has at most one partner, so the matching is unique and needs no
    assignment algorithm.
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
