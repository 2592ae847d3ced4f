"""Context models in 16-bit integers: decoded latents to means and scale indices of later passes."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.lattices import quarter, squares
from cytopress.codecs.learned.exact.numbers import MOST_ACTIVATION, NARROW_BITS, STEP_BITS
from cytopress.codecs.learned.latents.hyper_context import BESIDE, DIAGONAL
from cytopress.errors import PackageError
from cytopress.kernels import workspace
from cytopress.kernels.context_step import ContextStep
from cytopress.kernels.convolution import Convolution

Array = npt.NDArray[Any]
NARROW_SHIFT = STEP_BITS - NARROW_BITS
# Offsets of the four neighbors: of black squares the white ones.
DIAGONALS, NEIGHBORS = (np.array(each, np.int32) for each in (DIAGONAL, BESIDE))


@dataclass(frozen=True, eq=False)
class Step:
    """What decoded latents add to the means and scale indices of others.

    Parameters
    ----------
    hidden : Convolution
        From the logarithms of decoded latents, plus features, to hidden channels: with a rectifier.
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
            or any(layer.dtype != np.int32 for layer in (self.mean, self.scale))
            or (self.hidden.low, self.hidden.high) != (0, MOST_ACTIVATION)
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

    @functools.cached_property
    def add(self) -> ContextStep:
        """The kernel that adds to means and scale indices."""
        return ContextStep(self.hidden, self.mean, self.scale, NARROW_SHIFT)


@dataclass(frozen=True, eq=False)
class ContextModel:
    """Both steps: ``across`` squares of the first channels, ``inward`` from them to the rest."""

    across: Step
    inward: Step

    def __post_init__(self) -> None:
        around, width, first = self.across.form
        inputs, wide, _ = self.inward.form
        if around != 4 * first or inputs != first or width != wide or self.across.reach:
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

    def passes(self, known: Array) -> Iterator[tuple[Array, Array]]:
        """Yield the places of each later pass, and scale indices, (h, w, Nz) int32.

        ``known`` are hyper-latents as decoded so far, (h, w, Nz) int32 with a fraction: this adds
        the means of each pass to it, and the caller its residuals before it asks for the next.
        """
        shape = known.shape[0], known.shape[1]
        # All others are those whose row and column add up to an odd number.
        diagonal = self.diagonal, quarter(shape, odd=True), DIAGONALS
        beside = self.beside, squares(shape, black=True), NEIGHBORS
        index = workspace.zeros(known.shape, np.int32)
        for (step, places, offsets), own in zip((diagonal, beside), self.features, strict=True):
            if places.size:
                features = own.astype(np.int32).reshape(1, 1, -1)
                step.add(known, features, known, index, places, offsets)
            yield places, index
