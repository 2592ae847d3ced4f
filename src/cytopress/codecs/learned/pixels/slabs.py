"""A volume slab by slab, a plane as one slab: memory does not grow with depth."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.model.plane_model import Model
from cytopress.codecs.progress import track

Array = npt.NDArray[Any]
# By a slab's number and the latents of the one before: its own, (M, h, w) float32 in steps.
Latents = Callable[[int, Array | None], Array]


def through_slabs(
    model: Model, setting: GainSetting, latents: Latents, shape: tuple[int, ...]
) -> Iterator[tuple[slice, Array]]:
    """Yield which planes a slab holds, and these planes, in order.

    Parameters
    ----------
    model : Model
        The networks.
    setting : Setting
        The quality.
    latents : callable
        Called once a slab, in order.
    shape : tuple of int
        (Z, Y, X) of the volume.

    Yields
    ------
    slice, ndarray
        Planes, and (planes, Y, X) float32 around the mean.
    """
    planes, height, width = shape
    depth = model.depth
    near, slabs = depth.neighbors, depth.slabs(planes)
    held: deque[Array] = deque(maxlen=depth.stack)
    below: Array | None = None
    for place in track(range(slabs + near)):
        if place < slabs:
            y_hat = latents(place, below)
            below = y_hat if model.below is not None else None
            # Those of a slab that others are predicted from are needed in steps too.
            scaled = y_hat if below is None else y_hat.copy()
            scaled *= setting.inverse_gain
            held.extend([np.zeros_like(scaled)] * (near if not place else 0))
            held.append(scaled)
        else:
            held.append(np.zeros_like(held[-1]))
        if place >= near:
            own = depth.held(place - near, planes)
            found = model.synthesize(list(held), (height, width))
            yield own, found[: own.stop - own.start]
