"""Hyper synthesis in 16-bit integers: hyper-latents to means, scale indices and features."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.numbers import MOST_ACTIVATION
from cytopress.errors import PackageError
from cytopress.kernels import workspace
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.threads import in_spans
from cytopress.tiling import tiles

Array = npt.NDArray[Any]
# Rows of hyper-latents that are computed at once: bounds memory, changes no number.
ROWS = 16


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

    def __call__(self, a: Array) -> Array:
        """Return (h * upsample, w * upsample, outputs) of (h, w, C) int16."""
        found, factor = self.convolution(a), self.upsample
        if factor == 1:
            return found
        height, width, _ = found.shape
        split = found.reshape(height, width, factor, factor, self.outputs)
        return split.transpose(0, 2, 1, 3, 4).reshape(height * factor, width * factor, -1)


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

    @functools.cached_property
    def halo(self) -> int:
        """Hyper-latents beyond its own that an output depends on, along each axis."""
        reach, scale = 0.0, 1
        for layer in self.layers:
            reach += layer.convolution.weight.shape[2] // 2 / scale
            scale *= layer.upsample
        return ceil(reach)

    def __call__(self, z_hat: Array, counts: tuple[int, ...]) -> list[Array]:
        """Return arrays of the output, (h, w, count) int32, with a fraction.

        Parameters
        ----------
        z_hat : ndarray
            (h', w', Nz) int32 hyper-latents, with as many bits of fraction.
        counts : tuple of int
            Channels of each array: arrays of their own are freed one by one.
        """
        (height, width), scale = z_hat.shape[:2], self.upsample
        out = [workspace.empty((height * scale, width * scale, count), np.int32) for count in counts]
        *hidden, last = self.layers
        parts = _split(last.convolution, counts)
        bands = list(tiles((height, width), size=(ROWS, width), halo=(self.halo, 0)))

        def span(first: int, end: int) -> None:
            for tile in bands[first:end]:
                seen = z_hat[tile.source()]
                a = np.clip(seen, -MOST_ACTIVATION, MOST_ACTIVATION).astype(np.int16)
                for layer in hidden:
                    a = layer(a)
                inner, target = a[tile.inner(scale)], tile.target(scale)
                for convolution, part in zip(parts, out, strict=True):
                    convolution(inner, out=part[target])

        in_spans(span, len(bands))
        return out


@functools.lru_cache(maxsize=64)
def _split(layer: Convolution, counts: tuple[int, ...]) -> list[Convolution]:
    """Return a layer as one for each part of its outputs."""
    ends = np.cumsum(counts)
    spans = zip(ends - counts, ends, strict=True)
    return [replace(layer, weight=layer.weight[a:b], bias=layer.bias[a:b]) for a, b in spans]
