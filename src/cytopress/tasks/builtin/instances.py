"""Instance segmentation from pixel classes, by a seeded watershed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cytopress.image import Image, Labels
from cytopress.tasks.label_images import components, watershed
from cytopress.tasks.objects import Floats, without_small
from cytopress.tiling import Values

# Channels of the logits, in order.
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
    """Separate the objects in the output of a network with a boundary class.

    Each connected region of probable interior is the seed of one object. Seeds grow by watershed,
    the most probable interior first, until they meet or the foreground ends. So touching objects
    are separated where the interior is least probable, and foreground without a seed is no object.
    After Caicedo et al. (Cytometry A 2019), with a watershed instead of a dilation.

    Objects of a volume touch in a surface, and a single missed voxel of it would join two seeds.
    With ``core``, only the deep interior is seed, and the deepest grows first: objects are
    separated where their bridge is thinnest.

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
        Depth of seeds below the interior's surface, in the unit of ``spacing``; 0 for all of it.
    spacing : sequence of float, optional
        Distance of neighboring samples along each axis; 1 unless given.

    Returns
    -------
    ndarray
        (Y, X) or (Z, Y, X) int32, 0 is background; numbers may have gaps.
    """
    likelihood = np.exp(logits.astype(np.float64) - logits.max(axis=0))
    background, inside, _ = likelihood / likelihood.sum(axis=0)
    mask = 1 - background > foreground
    deep = (inside > interior) & mask
    if core:
        inside = depth(deep, spacing)
        deep = inside > core
    labels = watershed(-inside, components(deep), mask)
    return without_small(labels, min_area).astype(np.int32)


def depth(interior: npt.NDArray[np.bool_], spacing: Sequence[float] | None = None) -> Floats:
    """Return the distance of each interior pixel from the outer border; holes are filled."""
    from scipy.ndimage import binary_fill_holes, distance_transform_edt

    found: Floats = distance_transform_edt(binary_fill_holes(interior), sampling=spacing)
    return found


def relative_spacing(image: Image) -> tuple[float, ...] | None:
    """Return the sample distance along each axis relative to X; None if unknown."""
    spacing = image.full_spacing_um
    return None if spacing is None else tuple(step / spacing[-1] for step in spacing)
