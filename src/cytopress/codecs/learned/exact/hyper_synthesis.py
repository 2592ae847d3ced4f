"""Hyper synthesis in 16-bit integers: hyper-latents to means, scale indices and features."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.numbers import MOST_ACTIVATION
from cytopress.errors import PackageError
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.pixel_shuffle import ShuffledConvolutions

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Layer:
    """A convolution and the pixel shuffle behind it.

    Parameters
    ----------
    convolution : Convolution
        Its output channels are those of each place of the shuffle, one place after the other.
    upsample : int
        Factor of the shuffle.
    """

    convolution: Convolution
    upsample: int

    @property
    def outputs(self) -> int:
        """Number of channels behind the shuffle."""
        return len(self.convolution.weight) // self.upsample**2


@dataclass(frozen=True, eq=False)
class HyperSynthesis:
    """h_s: layers one after the other.

    Parameters
    ----------
    layers : tuple of Layer
        In order; each takes what the one before it gives, int16.

    Raises
    ------
    PackageError
        The layers do not follow each other.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        channels = self.inputs
        for layer in self.layers:
            if layer.convolution.weight.shape[1] != channels:
                raise PackageError("The layers of the hyper synthesis do not follow each other.")
            channels = layer.outputs
        *hidden, behind = (layer.convolution.dtype for layer in self.layers)
        if behind != np.int32 or any(kind != np.int16 for kind in hidden):
            raise PackageError("All layers of a hyper synthesis but the last have a rectifier.")
        last = self.layers[-1]
        if last.upsample != 1 or last.convolution.weight.shape[2] != 1:
            raise PackageError("The last layer of a hyper synthesis is of 1 x 1 latents.")

    @property
    def inputs(self) -> int:
        """Number of channels of the hyper-latents."""
        return int(self.layers[0].convolution.weight.shape[1])

    @property
    def outputs(self) -> int:
        """Number of channels of the output."""
        return self.layers[-1].outputs

    @property
    def upsample(self) -> int:
        """Latents along each axis for each hyper-latent."""
        return prod(layer.upsample for layer in self.layers)

    def __call__(self, z_hat: Array, counts: tuple[int, ...]) -> list[Array]:
        """Return arrays of the output, (h, w, count) int32, with a fraction.

        Parameters
        ----------
        z_hat : ndarray
            (h', w', Nz) int32 hyper-latents, with as many bits of fraction.
        counts : tuple of int
            Channels of each array: arrays of their own are freed one by one.
        """
        return _in_parts(self, counts)(z_hat)


@functools.lru_cache(maxsize=64)
def _in_parts(h_s: HyperSynthesis, counts: tuple[int, ...]) -> ShuffledConvolutions:
    """Return the layers, the last one as one for each part of its outputs."""
    *hidden, last = h_s.layers
    layer, ends = last.convolution, np.cumsum(counts)
    spans = zip(ends - counts, ends, strict=True)
    return ShuffledConvolutions(
        tuple((each.convolution, each.upsample) for each in hidden),
        tuple(replace(layer, weight=layer.weight[a:b], bias=layer.bias[a:b]) for a, b in spans),
        MOST_ACTIVATION,
    )
