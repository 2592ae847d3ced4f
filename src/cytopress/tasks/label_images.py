"""Label images: connected components, boundaries, and the seeded watershed.

Each gives what scikit-image's function of that name gives, from scipy. scikit-image itself would be
a tenth of the core's installation, for these three functions.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np
import numpy.typing as npt

from cytopress.image import Labels

Mask = npt.NDArray[np.bool_]


def components(mask: Mask, *, corners: bool = False) -> Labels:
    """Return the connected components of a mask, (Y, X) or (Z, Y, X), numbered from 1.

    Pixels and voxels are connected by faces, and with ``corners`` by edges and corners too.
    """
    from scipy.ndimage import generate_binary_structure, label

    structure = generate_binary_structure(mask.ndim, mask.ndim if corners else 1)
    found: tuple[Labels, int] = label(mask, structure)
    return found[0]


def inner_boundary(labels: Labels) -> Mask:
    """Return the pixels of objects that share a face with a pixel of another label, or of none."""
    from scipy.ndimage import generate_binary_structure, maximum_filter, minimum_filter

    cross = generate_binary_structure(labels.ndim, 1)
    most, least = (of(labels, footprint=cross) for of in (maximum_filter, minimum_filter))
    return np.asarray((most != least) & (labels != 0))


def watershed(height: npt.NDArray[np.float64], seeds: Labels, mask: Mask) -> Labels:
    """Grow seeds into a mask by flooding, the lowest pixels first, until they meet.

    Parameters
    ----------
    height : ndarray
        (Y, X) or (Z, Y, X): the order in which pixels are reached. Equally low ones come in the
        order in which a neighbor was; among equally low pixels of seeds, which scikit-image takes
        in the order of its heap, in raster order.
    seeds : ndarray
        Integers of the same shape, 0 where there is no seed. Those outside the mask are left out.
    mask : ndarray
        Booleans of the same shape: where labels may grow, from face to face.

    Returns
    -------
    ndarray
        int32 of the same shape, 0 outside the mask and where no seed gets.
    """
    # With a border outside the mask every neighbor has an index.
    padded = np.pad(np.where(mask, seeds, 0).astype(np.int32), 1)
    heights, labels = np.pad(height.astype(np.float64), 1).ravel(), padded.ravel()
    free = np.pad(mask, 1).ravel() & (labels == 0)
    along = [stride // padded.itemsize for stride in padded.strides]
    steps = [-step for step in along] + along[::-1]
    # Only the edge of a seed reaches a pixel that is free.
    edge = np.unique(np.flatnonzero(free)[:, None] + steps)
    edge = edge[labels[edge] > 0]
    queue = [(low, 0, at) for low, at in zip(heights[edge].tolist(), edge.tolist(), strict=True)]
    heapify(queue)
    # Python reads single numbers through a view several times as fast as from an array.
    levels, label, is_free = heights.data, labels.data, free.data
    turn = 0
    while queue:
        at = heappop(queue)[-1]
        for step in steps:
            beside = at + step
            if is_free[beside]:
                turn += 1
                is_free[beside], label[beside] = False, label[at]
                heappush(queue, (levels[beside], turn, beside))
    return padded[(slice(1, -1),) * padded.ndim]
