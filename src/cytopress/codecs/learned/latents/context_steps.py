"""Layers of a context model in both formats of packages, and what must hold between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy.typing as npt

from cytopress.errors import PackageError

Array = npt.NDArray[Any]


class Weighted(Protocol):
    """A layer with a kernel, (outputs, inputs, side, side)."""

    @property
    def weight(self) -> Array:
        """Return the kernel."""
        ...


AnyLayer = TypeVar("AnyLayer", bound=Weighted)


@dataclass(frozen=True, eq=False)
class StepLayers(Generic[AnyLayer]):
    """What decoded latents add to the means and scale indices of others.

    Parameters
    ----------
    hidden : Weighted
        From the logarithms of decoded latents to hidden channels; features are added before its
        rectifier.
    mean : Weighted
        From decoded latents to means.
    scale : Weighted
        From hidden channels to scale indices.
    """

    hidden: AnyLayer
    mean: AnyLayer
    scale: AnyLayer

    @property
    def form(self) -> tuple[int, int, int]:
        """Numbers of input, hidden and output channels."""
        width, inputs = self.hidden.weight.shape[:2]
        return inputs, width, len(self.mean.weight)

    @property
    def reach(self) -> int:
        """Latents beyond its own that an output depends on, along each axis."""
        return int(self.hidden.weight.shape[2]) // 2


AnyStep = TypeVar("AnyStep", bound=StepLayers[Any])


@dataclass(frozen=True, eq=False)
class ContextModel(Generic[AnyStep]):
    """Both steps: ``across`` squares of the first channels, ``inward`` from them to the rest.

    Raises
    ------
    PackageError
        The steps do not follow each other.
    """

    across: AnyStep
    inward: AnyStep

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
        """Number of features of either step, which the hyper synthesis gives."""
        return self.inward.form[1]

    @property
    def channels(self) -> int:
        """Number of channels of the latents."""
        return self.first + self.inward.form[2]


@dataclass(frozen=True, eq=False)
class HyperSteps(Generic[AnyStep]):
    """Both steps of a context model of hyper-latents, and what is added to features and scales.

    Parameters
    ----------
    diagonal, beside : StepLayers
        From four hyper-latents around one to the mean and scale indices of its channels.
    features : ndarray
        (2, width) of integers that are added before the rectifier of either step.
    bias : ndarray
        (nodes, Nz) of integers that are added to the scale indices.

    Raises
    ------
    PackageError
        The steps are of other channels.
    """

    diagonal: AnyStep
    beside: AnyStep
    features: Array
    bias: Array

    def __post_init__(self) -> None:
        channels = self.bias.shape[1]
        for step, features in zip((self.diagonal, self.beside), self.features, strict=True):
            if step.form != (4 * channels, len(features), channels) or step.reach:
                raise PackageError("The steps of the hyper context model are of other channels.")
