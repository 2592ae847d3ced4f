"""Context model in integers: decoded latents to means and scale indices of the passes to come.

Latents are coded in three passes: the first channels on the white squares of a checkerboard, then
on the black ones, then all other channels. Each pass is predicted from the passes before it. Like
the hyper synthesis, the model computes with integers in float64, so that a decoder has the
encoder's probabilities to the last bit.

He et al., "Checkerboard context model for efficient learned image compression", CVPR 2021, and
"ELIC: efficient learned image compression with unevenly grouped space-channel contextual adaptive
coding", CVPR 2022.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.latents.context_steps import StepLayers
from cytopress.codecs.learned.latents.hyper_synthesis import FRACTION, MOST_ACTIVATION, Layer
from cytopress.errors import PackageError
from cytopress.tiling import tiles

Array = npt.NDArray[Any]
# Rows of latents that are computed at once: bounds memory, changes no number.
STRIP = 64
# A rectangle of latents, and what is added to their means and scale indices.
Part = tuple[tuple[slice, ...], Array, Array]
# Of a float64: bits of its mantissa, and the bias of its exponent.
MANTISSA, BIAS = 52, 1023


@dataclass(frozen=True, eq=False)
class ContextStep(StepLayers[Layer]):
    """A step in float64.

    Raises
    ------
    PackageError
        The layers do not belong together.
    """

    def __post_init__(self) -> None:
        (width, inputs), outputs = self.hidden.weight.shape[:2], len(self.mean.weight)
        layers = (self.hidden, self.mean, self.scale)
        if (
            self.mean.weight.shape[1] != inputs
            or self.scale.weight.shape[:2] != (outputs, width)
            or self.mean.weight.shape[2] != 1
            or self.scale.weight.shape[2] != 1
            or any(layer.relu or layer.upsample != 1 for layer in layers)
        ):
            raise PackageError("The layers of the context model do not belong together.")

    def parts(self, known: Array, features: Array, unit: float = 1.0) -> Iterator[Part]:
        """Yield rectangles that cover the latents, with the means and scale indices to add there.

        Parameters
        ----------
        known : ndarray
            (C, h, w) decoded latents without their means; times ``unit`` they are integers with
            ``FRACTION`` bits of fraction.
        features : ndarray
            (width, h, w) integers with as many bits of fraction.
        unit : float, optional
            A power of two.
        """
        _, height, width = known.shape
        halo = self.reach, self.reach
        for tile in tiles((height, width), size=(STRIP, width), halo=halo):
            target, inner = (slice(None), *tile.target()), (slice(None), *tile.inner())
            # A power of two is exact; large values are rounded, and clipped.
            seen = np.rint(known[:, *tile.source()].astype(np.float64) * unit)
            np.clip(seen, -MOST_ACTIVATION, MOST_ACTIVATION, out=seen)
            hidden = self.hidden(signed_log(seen))[inner] + features[target]
            np.clip(hidden, 0, MOST_ACTIVATION, out=hidden)
            yield tile.target(), self.mean(seen[inner]), self.scale(hidden)


def add_parts(parts: Iterable[Part], mean: Array, index: Array) -> None:
    """Add the output of a step to means, (C, h, w), and scale indices, in place."""
    for place, offset, wider in parts:
        mean[:, *place] += (offset * 2.0**-FRACTION).astype(np.float32)
        index[:, *place] += wider.astype(np.int32)


def squares(a: Array, *, black: bool) -> Array:
    """Return the values on the squares of one color, (C, h, w / 2) of (C, h, w), w even.

    White are those whose row and column add up to an even number.
    """
    channels, height, width = a.shape
    out = np.empty((channels, height, width // 2), a.dtype)
    for row in (0, 1):
        out[:, row::2] = a[:, row::2, (row + black) % 2 :: 2]
    return out


def put_squares(a: Array, values: Array, *, black: bool) -> None:
    """Write values, (C, h, w / 2), to the squares of one color of (C, h, w)."""
    for row in (0, 1):
        a[:, row::2, (row + black) % 2 :: 2] = values[:, row::2]


def neighbors(white: Array) -> Array:
    """Return the neighbors of black squares, (4 * C, h, w / 2), of the white ones, (C, h, w / 2).

    Above, below, left and right; 0 outside.
    """
    channels, height, width = white.shape
    out = np.zeros((4, channels, height, width), white.dtype)
    above, below, left, right = out
    above[:, 1:], below[:, :-1] = white[:, :-1], white[:, 1:]
    # In even rows a black square lies right of the white one of its number, in odd ones left.
    left[:, ::2], right[:, 1::2] = white[:, ::2], white[:, 1::2]
    right[:, ::2, :-1], left[:, 1::2, 1:] = white[:, ::2, 1:], white[:, 1::2, :-1]
    return out.reshape(4 * channels, height, width)


def signed_log(values: Array) -> Array:
    """Return sign(v) log2(1 + |v|) of integers with ``FRACTION`` bits of fraction, rounded down.

    Between powers of two it is a straight line, so that it is exact in integers. ``values`` are
    float64.
    """
    raised = np.abs(values) + 2.0**FRACTION
    # A float64 is stored as its exponent and then its mantissa, the fraction of the way to the next
    # power of two: with FRACTION bits of the mantissa, that is the logarithm.
    size = (raised.view(np.int64) >> MANTISSA - FRACTION) - (BIAS + FRACTION << FRACTION)
    return np.copysign(size, values)
