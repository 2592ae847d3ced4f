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
from cytopress.codecs.learned.latents.context_steps import HyperSteps, StepLayers
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
class Step(StepLayers[Convolution]):
    """A step in 16-bit integers.

    Raises
    ------
    PackageError
        The layers do not belong together.
    """

    def __post_init__(self) -> None:
        (width, inputs), outputs = self.hidden.weight.shape[:2], len(self.mean.weight)
        if (
            self.mean.weight.shape != (outputs, inputs, 1, 1)
            or self.scale.weight.shape != (outputs, width, 1, 1)
            or any(layer.dtype != np.int32 for layer in (self.mean, self.scale))
            or (self.hidden.low, self.hidden.high) != (0, MOST_ACTIVATION)
        ):
            raise PackageError("The layers of the context model do not belong together.")

    @functools.cached_property
    def add(self) -> ContextStep:
        """The kernel that adds to means and scale indices."""
        return ContextStep(self.hidden, self.mean, self.scale, NARROW_SHIFT)


class HyperContext(HyperSteps[Step]):
    """Context model of hyper-latents in 16-bit integers."""

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
