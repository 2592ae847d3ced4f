"""Classes of pixels that a segmentation learns from labels, and the size of its objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cytopress.image import Labels
from cytopress.tasks.builtin.instances import depth
from cytopress.tasks.label_images import inner_boundary
from cytopress.training.pairs import Values

BACKGROUND, INTERIOR, BOUNDARY = range(3)
CLASSES = 3
# Objects of less than this share of the diameter of small ones, at the 5th percentile of the
# labeled areas or volumes, count as noise.
LEAST_DIAMETER = 0.5
# In volumes, depth of a seed as a share of that of shallow objects, at the 5th percentile.
SEED_DEPTH = 0.6
# Planes farther apart than so many pixels are too coarse for a boundary along z.
COARSE = 2.0


def classes(labels: Labels, spacing_um: Sequence[float] | None = None) -> Values:
    """Return the class of each pixel of an integer label image, (Y, X) or (Z, Y, X).

    The boundary is the pixels of an object that share a face with a pixel outside it. Where planes
    are farther apart than ``COARSE`` pixels, a boundary of whole voxels above and below would leave
    no interior to flat objects: there it is drawn in the plane, and between objects that touch.
    """
    boundary = inner_boundary(labels)
    if labels.ndim == 3 and spacing_um is not None and spacing_um[0] > COARSE * spacing_um[-1]:
        in_plane = np.stack([inner_boundary(plane) for plane in labels])
        boundary = in_plane | _touching(labels)
    found = np.where(labels > 0, np.where(boundary, BOUNDARY, INTERIOR), BACKGROUND)
    return found.astype(np.float32)


def _touching(labels: Labels) -> npt.NDArray[np.bool_]:
    """Return where another object lies in the plane above or below, (Z, Y, X)."""
    below, above = labels[:-1], labels[1:]
    meet = (below != above) & (below > 0) & (above > 0)
    touching = np.zeros(labels.shape, bool)
    touching[:-1] |= meet
    touching[1:] |= meet
    return touching


def least_area(labels: Sequence[Labels]) -> int:
    """Return the pixels or voxels under which an object counts as noise; 1 without objects."""
    areas = [np.unique(field[field > 0], return_counts=True)[1] for field in labels]
    counts = np.concatenate(areas)
    if not counts.size:
        return 1
    share = LEAST_DIAMETER ** labels[0].ndim
    return max(1, round(share * float(np.percentile(counts, 5))))


def seed_depth(labels: Sequence[Labels], spacings: Sequence[Sequence[float] | None]) -> float:
    """Return the depth of seeds inside their objects, in pixels of a row; 0 without objects."""
    from scipy.ndimage import maximum

    deepest: list[float] = []
    for field, spacing in zip(labels, spacings, strict=True):
        inside = depth(classes(field, spacing) == INTERIOR, spacing)
        deepest += list(maximum(inside, field, np.unique(field[field > 0])))
    return round(SEED_DEPTH * float(np.percentile(deepest, 5)), 1) if deepest else 0.0
