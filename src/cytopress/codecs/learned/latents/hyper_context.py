"""A context model of hyper-latents in integers: what lies around one tells of it.

A quarter of them, in even rows and columns, goes by the prior alone. Those diagonal to them know
four of these, and all others know four neighbors. Where nothing is, hyper-latents of all blocks are
alike, and so are those of a texture: at coarse rates they are up to a third of all bits.

Minnen et al., "Joint autoregressive and hierarchical priors", NeurIPS 2018, and He et al.,
"Checkerboard context model", CVPR 2021, of latents; here it is their hyper-latents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.latents.context_model import ContextStep
from cytopress.errors import PackageError

Array = npt.NDArray[Any]
# Rows and columns away that each turn goes by, in this order.
DIAGONAL = (-1, -1), (-1, 1), (1, -1), (1, 1)
BESIDE = (-1, 0), (1, 0), (0, -1), (0, 1)


@dataclass(frozen=True, eq=False)
class HyperContext:
    """Both steps and what they add to.

    Parameters
    ----------
    diagonal, beside : Step
        From four hyper-latents around one to the mean and scale indices of its channels.
    features : ndarray
        (2, width) of integers: what is added before the rectifier of either.
    bias : ndarray
        (nodes, Nz) of integers that are added to the scale indices.
    """

    diagonal: ContextStep
    beside: ContextStep
    features: Array
    bias: Array

    def __post_init__(self) -> None:
        channels = self.bias.shape[1]
        for step, features in zip((self.diagonal, self.beside), self.features, strict=True):
            if step.form != (4 * channels, len(features), channels) or step.reach:
                raise PackageError("The steps of the hyper-latents' context are of other channels.")

    def turns(self, known: Array, node: int) -> Iterator[tuple[Array, Array, Array]]:
        """Yield places that are decoded together, their means and their scale indices.

        Parameters
        ----------
        known : ndarray
            (Nz, h, w) of integers with ``FRACTION`` bits of fraction: hyper-latents as decoded so
            far. Whoever iterates puts each turn's into it before the next.
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
    """Return what lies at ``places`` from each, (4 * C, h, w) of (C, h, w); 0 outside."""
    _, height, width = known.shape
    wide = np.pad(known, ((0, 0), (1, 1), (1, 1)))
    return np.concatenate(
        [wide[:, 1 + down :, 1 + right :][:, :height, :width] for down, right in places]
    )
