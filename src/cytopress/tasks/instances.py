"""From the classes of pixels to separate objects."""

from __future__ import annotations

from typing import Any

import numpy as np

from cytopress.tasks.objects import Labels, without_small
from cytopress.tasks.tiling import Values

# The channels of the logits, in their order.
CLASSES = ("background", "interior", "boundary")


def instances(logits: Values, *, interior: float, foreground: float, min_area: int) -> Labels:
    """Separate the objects that a network with a boundary class found.

    Each connected region whose interior is likely enough is the seed of one object. Seeds grow by
    watershed, where the interior is likelier first, until they meet or the foreground ends. So
    objects that touch are parted where the interior is least likely, and foreground without a seed
    is no object. After Caicedo et al. (Cytometry A 2019), with the watershed in the place of a
    dilation.

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
    seeds = label((inside > interior) & mask, connectivity=1)
    labels = watershed(-inside, seeds, mask=mask)
    return without_small(labels, min_area).astype(np.int32)
