"""Context model of hyper-latents in integers: each is predicted from its neighbors.

A quarter of them, in even rows and columns, is coded by the prior alone. Those diagonal to them are
predicted from four of these, and all others from four neighbors. Background and texture have
similar hyper-latents in all blocks, and at coarse rates hyper-latents are up to a third of all
bits.

Minnen et al., "Joint autoregressive and hierarchical priors", NeurIPS 2018, and He et al.,
"Checkerboard context model", CVPR 2021, predict latents in this way; here it is hyper-latents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.latents.context_model import ContextStep
from cytopress.codecs.learned.latents.context_steps import HyperSteps

Array = npt.NDArray[Any]
# Offsets in rows and columns of the neighbors that either step predicts from, in this order.
DIAGONAL = (-1, -1), (-1, 1), (1, -1), (1, 1)
BESIDE = (-1, 0), (1, 0), (0, -1), (0, 1)


class HyperContext(HyperSteps[ContextStep]):
    """Context model of hyper-latents in float64."""

    def passes(self, known: Array, node: int) -> Iterator[tuple[Array, Array, Array]]:
        """Yield the spatial positions of each later pass, with their means and scale indices.

        Parameters
        ----------
        known : ndarray
            (Nz, h, w) of integers with ``FRACTION`` bits of fraction: hyper-latents as decoded so
            far. The caller writes those of each pass into it before it asks for the next.
        node : int
            The gain node.

        Yields
        ------
        places : ndarray
            (h, w) of bool.
        mean, index : ndarray
            (Nz, places) float64 and int32, with as many bits of fraction.
        """
        rows, columns = (np.arange(length) % 2 == 1 for length in known.shape[1:])
        odd, even = rows[:, None] & columns, ~rows[:, None] & ~columns
        steps = (self.diagonal, DIAGONAL, odd), (self.beside, BESIDE, ~odd & ~even)
        bias = self.bias[node][:, None, None]
        for (step, places, mask), own in zip(steps, self.features, strict=True):
            features = np.broadcast_to(own[:, None, None], (len(own), *known.shape[1:]))
            mean, index = np.empty(known.shape), np.empty(known.shape, np.int32)
            for place, offset, wider in step.parts(around(known, places), features):
                mean[:, *place], index[:, *place] = offset, wider + bias
            yield mask, mean[:, mask], index[:, mask]


def around(known: Array, places: tuple[tuple[int, int], ...]) -> Array:
    """Return the values at offsets ``places`` of each, (4 * C, h, w) of (C, h, w); 0 outside."""
    _, height, width = known.shape
    wide = np.pad(known, ((0, 0), (1, 1), (1, 1)))
    return np.concatenate(
        [wide[:, 1 + down :, 1 + right :][:, :height, :width] for down, right in places]
    )
