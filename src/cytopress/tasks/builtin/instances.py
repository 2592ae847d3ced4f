"""From the classes of pixels to separate objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.image import Image, Labels
from cytopress.tasks.objects import Floats, without_small
from cytopress.tiling import Values

# The channels of the logits, in their order.
CLASSES = ("background", "interior", "boundary")


def instances(
    logits: Values,
    *,
    interior: float,
    foreground: float,
    min_area: int,
    core: float = 0.0,
    spacing: Sequence[float] | None = None,
) -> Labels:
    """Separate the objects that a network with a boundary class found.

    Each connected region whose interior is likely enough is the seed of one object. Seeds grow by
    watershed, where the interior is likelier first, until they meet or the foreground ends. So
    objects that touch are parted where the interior is least likely, and foreground without a seed
    is no object. After Caicedo et al. (Cytometry A 2019), with the watershed in the place of a
    dilation.

    Objects of a volume touch in a surface, and one voxel of it that is missed makes one seed of two
    of them. With ``core`` a seed is only what lies deep inside, and the deepest grows first: so
    they are parted where the bridge is thinnest.

    Parameters
    ----------
    logits : ndarray
        (3, Y, X) or (3, Z, Y, X) float32 of background, interior and boundary.
    interior : float
        Probability of the interior above which a pixel belongs to a seed, 0 to 1.
    foreground : float
        Probability of anything but background above which a pixel may belong to an object.
    min_area : int
        Pixels, in a volume voxels; smaller objects are removed.
    core : float, optional
        How far from the end of the interior a seed is, in the unit of ``spacing``; 0 for all of it.
    spacing : sequence of float, optional
        Distance between neighbors along each axis; 1 unless given.

    Returns
    -------
    ndarray
        (Y, X) or (Z, Y, X) int32, 0 is background; numbers may have gaps.
    """
    from skimage import measure, segmentation

    label: Any = measure.label
    watershed: Any = segmentation.watershed
    likelihood = np.exp(logits.astype(np.float64) - logits.max(axis=0))
    background, inside, _ = likelihood / likelihood.sum(axis=0)
    mask = 1 - background > foreground
    deep = (inside > interior) & mask
    if core:
        inside = depth(deep, spacing)
        deep = inside > core
    labels = watershed(-inside, label(deep, connectivity=1), mask=mask)
    return without_small(labels, min_area).astype(np.int32)


def depth(interior: npt.NDArray[np.bool_], spacing: Sequence[float] | None = None) -> Floats:
    """Return how far each pixel of the interior is from its end; holes in it do not count."""
    from scipy.ndimage import binary_fill_holes, distance_transform_edt

    found: Floats = distance_transform_edt(binary_fill_holes(interior), sampling=spacing)
    return found


def relative_spacing(image: Image) -> tuple[float, ...] | None:
    """Return how far neighbors are apart along each axis, in pixels of a row; None if unknown."""
    spacing = image.spacing_um
    return None if spacing is None else tuple(step / spacing[-1] for step in spacing)
