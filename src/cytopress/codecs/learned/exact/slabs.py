"""Slabs of a volume through the integer synthesis, in order; a plane is one slab."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.gains import Dequantization
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.codecs.progress import track

Array = npt.NDArray[Any]
# Which planes and which rows, and of each plane its values, (rows, columns) int32.
Band = tuple[slice, slice, list[Array]]


def synthesized(
    model: ExactModel, dequantize: Dequantization, latents: Iterator[Array], shape: tuple[int, ...]
) -> Iterator[Band]:
    """Yield the bands of each slab, in order; rows and columns may go on beyond the planes.

    Parameters
    ----------
    model : ExactModel
        The networks.
    dequantize : Dequantization
        The multipliers of the quality.
    latents : iterator of ndarray
        (h, w, M) int32 of each slab.
    shape : tuple of int
        (Z, Y, X) of the volume.
    """
    slabs, planes = model.slabs, shape[0]
    count, neighbors = slabs.count(planes), slabs.neighbors
    stack: deque[Array] = deque(maxlen=slabs.stack)
    for place in track(range(count + neighbors)):
        if place < count:
            found = next(latents)
            # Beyond its ends a volume has no latents.
            stack.extend(np.zeros_like(found) for _ in range(0 if place else neighbors))
            stack.append(found)
        else:
            stack.append(np.zeros_like(stack[-1]))
        if place >= neighbors:
            own = slabs.held(place - neighbors, planes)
            for rows, band in model.synthesis.bands(list(stack), dequantize):
                yield own, rows, band[: own.stop - own.start]
