"""Masks and label images among a data set's channels: recognized, for loss would renumber them."""

from __future__ import annotations

import numpy as np

from cytopress.datasets.image_names import DERIVED, TOKEN
from cytopress.image import Pixels

# Of neighbors that both belong to objects, so many have one number in a label image; and so many
# of the objects' pixels have a neighbor that does.
SAME, INSIDE = 0.97, 0.5
# Names that say what pictures of objects' numbers are, and not what was drawn over an image.
NAMES = frozenset(
    {"mask", "masks", "label", "labels", "seg", "segmentation"}
) & DERIVED  # fmt: skip
LEAST = 16


def is_named_mask(name: str) -> bool:
    """Return whether a file's path or a channel's name says that it holds a mask or labels."""
    return any(token.lower() in NAMES for token in TOKEN.findall(name.replace("/", " ")))


def looks_like_labels(plane: Pixels) -> bool | None:
    """Return whether a plane (Y, X) is a mask or holds numbers of objects.

    Background is 0, and nearly all neighbors within objects are equal. None where the plane is too
    empty to tell.
    """
    if plane.dtype.kind not in "bui":
        return False
    inside = plane != 0
    if inside.sum() < LEAST or inside.all():
        return False if inside.all() else None
    both = inside[:, 1:] & inside[:, :-1]
    if both.sum() < INSIDE * inside.sum():
        return False
    equal = plane[:, 1:][both] == plane[:, :-1][both]
    return bool(np.mean(equal) >= SAME)
