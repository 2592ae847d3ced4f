"""Context models in 16-bit integers: decoded latents to means and scale indices of later passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.numbers import (
    MOST_ACTIVATION,
    NARROW_BITS,
    STEP_BITS,
)
from cytopress.codecs.learned.latents.context_model import signed_log
from cytopress.codecs.learned.latents.hyper_context import BESIDE, DIAGONAL
from cytopress.errors import PackageError
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.elementwise import narrowed

Array = npt.NDArray[Any]
# Rows of latents that are computed at once: bounds memory, changes no number.
STRIP = 64


@dataclass(frozen=True, eq=False)
class Step:
    """What decoded latents add to the means and scale indices of others.

    Parameters
    ----------
    hidden : Convolution
        From the logarithms of decoded latents to hidden channels; features are added before its
        rectifier.
    mean : Convolution
        From decoded latents to means.
    scale : Convolution
        From hidden channels to scale indices.

    Raises
    ------
    PackageError
        The layers do not belong together.
    """

    hidden: Convolution
    mean: Convolution
    scale: Convolution

    def __post_init__(self) -> None:
        (width, inputs), outputs = self.hidden.weight.shape[:2], len(self.mean.weight)
        if (
            self.mean.weight.shape != (outputs, inputs, 1, 1)
            or self.scale.weight.shape != (outputs, width, 1, 1)
            or any(layer.dtype != np.int32 for layer in (self.hidden, self.mean, self.scale))
        ):
            raise PackageError("The layers of the context model do not belong together.")

    @property
    def form(self) -> tuple[int, int, int]:
        """Numbers of input, hidden and output channels."""
        width, inputs = self.hidden.weight.shape[:2]
        return inputs, width, len(self.mean.weight)

    @property
    def reach(self) -> int:
        """Latents beyond its own that an output depends on, along each axis."""
        return int(self.hidden.weight.shape[2]) // 2

    def parts(self, known: Array, features: Array) -> Iterator[tuple[slice, Array, Array]]:
        """Yield bands of rows, with the means and scale indices to add there, int32.

        Parameters
        ----------
        known : ndarray
            (h, w, C) int32: decoded latents without their means, with a fraction.
        features : ndarray
            (h, w, width) of integers, or one of them for all places.
        """
        height, reach = len(known), self.reach
        for top in range(0, height, STRIP):
            band = slice(top, min(top + STRIP, height))
            start = max(0, top - reach)
            seen = known[start : band.stop + reach]
            inner = slice(top - start, band.stop - start)
            hidden = self.hidden(logarithms(seen))[inner]
            hidden += features[band] if features.ndim == 3 else features
            active = np.clip(hidden, 0, MOST_ACTIVATION).astype(np.int16)
            yield (
                band,
                self.mean(narrowed(seen[inner], STEP_BITS - NARROW_BITS)),
                self.scale(active),
            )


@dataclass(frozen=True, eq=False)
class ContextModel:
    """Both steps: ``across`` squares of the first channels, ``inward`` from them to the rest."""

    across: Step
    inward: Step

    def __post_init__(self) -> None:
        neighbors, width, first = self.across.form
        inputs, wide, _ = self.inward.form
        if neighbors != 4 * first or inputs != first or width != wide or self.across.reach:
            raise PackageError("The steps of the context model do not follow each other.")

    @property
    def first(self) -> int:
        """Number of channels that are decoded first."""
        return self.inward.form[0]

    @property
    def width(self) -> int:
        """Number of features of either step."""
        return self.inward.form[1]

    @property
    def channels(self) -> int:
        """Number of channels of the latents."""
        return self.first + self.inward.form[2]


@dataclass(frozen=True, eq=False)
class HyperContext:
    """Context model of hyper-latents, as that of format 1.

    Parameters
    ----------
    diagonal, beside : Step
        From four hyper-latents around one to the mean and scale indices of its channels.
    features : ndarray
        (2, width) of integers that are added before the rectifier of either step.
    bias : ndarray
        (nodes, Nz) of integers that are added to the scale indices.
    """

    diagonal: Step
    beside: Step
    features: Array
    bias: Array

    def __post_init__(self) -> None:
        channels = self.bias.shape[1]
        for step, features in zip((self.diagonal, self.beside), self.features, strict=True):
            if step.form != (4 * channels, len(features), channels) or step.reach:
                raise PackageError("The steps of the hyper context model are of other channels.")

    def passes(self, known: Array, node: int) -> Iterator[tuple[Array, Array, Array]]:
        """Yield the places of each later pass, (h, w) of bool, their means and scale indices.

        ``known`` are hyper-latents as decoded so far, (h, w, Nz) int32 with a fraction. The caller
        writes those of each pass into it before it asks for the next. Means and scale indices are
        (places, Nz) int32, with as many bits of fraction.
        """
        rows, columns = (np.arange(length) % 2 == 1 for length in known.shape[:2])
        odd, even = rows[:, None] & columns, ~rows[:, None] & ~columns
        steps = (self.diagonal, DIAGONAL, odd), (self.beside, BESIDE, ~odd & ~even)
        for (step, places, mask), own in zip(steps, self.features, strict=True):
            mean, index = np.empty(known.shape, np.int32), np.empty(known.shape, np.int32)
            for band, offset, wider in step.parts(around(known, places), own.astype(np.int32)):
                mean[band], index[band] = offset, wider
            yield mask, mean[mask], index[mask] + self.bias[node].astype(np.int32)


def around(known: Array, places: tuple[tuple[int, int], ...]) -> Array:
    """Return the values at offsets ``places`` of each, (h, w, 4 * C) of (h, w, C); 0 outside."""
    height, width, _ = known.shape
    wide = np.pad(known, ((1, 1), (1, 1), (0, 0)))
    parts = [wide[1 + down :, 1 + right :][:height, :width] for down, right in places]
    return np.concatenate(parts, axis=2)


def squares(a: Array, *, black: bool) -> Array:
    """Return the values on the squares of one color, (h, w / 2, C) of (h, w, C), w even.

    White are those whose row and column add up to an even number.
    """
    height, width, channels = a.shape
    out = np.empty((height, width // 2, channels), a.dtype)
    for row in (0, 1):
        out[row::2] = a[row::2, (row + black) % 2 :: 2]
    return out


def put_squares(a: Array, values: Array, *, black: bool) -> None:
    """Write values, (h, w / 2, C), to the squares of one color of (h, w, C)."""
    for row in (0, 1):
        a[row::2, (row + black) % 2 :: 2] = values[row::2]


def neighbors(white: Array) -> Array:
    """Return the neighbors of black squares, (h, w / 2, 4 * C), of the white ones, (h, w / 2, C).

    Above, below, left and right; 0 outside.
    """
    height, width, channels = white.shape
    out = np.zeros((height, width, 4, channels), white.dtype)
    above, below, left, right = (out[:, :, place] for place in range(4))
    above[1:], below[:-1] = white[:-1], white[1:]
    # In even rows a black square lies right of the white one of its number, in odd ones left.
    left[::2], right[1::2] = white[::2], white[1::2]
    right[::2, :-1], left[1::2, 1:] = white[::2, 1:], white[1::2, :-1]
    return out.reshape(height, width, 4 * channels)


def logarithms(values: Array) -> Array:
    """Return sign(v) log2(1 + |v|) as `signed_log`, int16, of int32."""
    farthest = max(-int(values.min()), int(values.max())) if values.size else 0
    if farthest <= MOST_ACTIVATION:
        return _LOGARITHMS[values]
    return signed_log(values.astype(np.float64)).astype(np.int16)


# Of 0 to the most, then of minus the most to -1: as indices below 0 count from the end.
_VALUES = np.concatenate([np.arange(MOST_ACTIVATION + 1), np.arange(-MOST_ACTIVATION, 0)])
_LOGARITHMS = signed_log(_VALUES.astype(np.float64)).astype(np.int16)
