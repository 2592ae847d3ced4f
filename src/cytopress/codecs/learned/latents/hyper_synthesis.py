"""Hyper synthesis in integers: hyper-latents to means and scale indices of latents, exactly.

A decoder must have the encoder's probabilities to the last bit, so everything from ``z_hat`` to the
index of a table is integer. Sums are computed in float64, whose products and sums of integers are
exact below 2 ** 53 in whatever order a matrix product takes them; that no sum reaches it is proved
when the layers are made.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import PackageError
from cytopress.tiling import tiles

Array = npt.NDArray[Any]
# Fractional bits of activations, means and scale indices.
FRACTION = 8
# Hyper-latents are clipped to this, activations behind each layer to the other.
MOST_INPUT = 2**12
MOST_ACTIVATION = 2**20
EXACT = 2**53
# Hyper-latents a tile: at a stride of 64 a field of 2048 pixels.
SIZE = 32
# Positions of one matrix product, about: the sums then stay in the cache.
CHUNK = 512


def scale_rows(index: Array, scales: Sized) -> Array:
    """Return the tables, (n,) uint8, of scale indices with a fraction: the nearest there is."""
    rows = index + 2 ** (FRACTION - 1)
    rows >>= FRACTION
    flat: Array = np.clip(rows, 0, len(scales) - 1).astype(np.uint8).reshape(-1)
    return flat


@dataclass(frozen=True, eq=False)
class Layer:
    """One convolution, its rounding, rectifier and pixel shuffle.

    Parameters
    ----------
    weight : ndarray
        (C_out, C_in, k, k) of integers, k odd.
    bias : ndarray
        (C_out,) of integers.
    shift : int
        Bits that are rounded off each sum.
    relu : bool
        Whether negative sums become 0.
    upsample : int
        Factor of the pixel shuffle that follows.
    """

    weight: Array
    bias: Array
    shift: int
    relu: bool
    upsample: int

    def __post_init__(self) -> None:
        weight, bias = self.weight, self.bias
        whole = weight.dtype.kind == bias.dtype.kind == "i"
        if not whole or weight.ndim != 4 or bias.shape != weight.shape[:1]:
            raise PackageError(
                "A layer of the hyper synthesis is (C_out, C_in, k, k) and (C_out,) of integers,"
                f" not {weight.dtype} {weight.shape} and {bias.dtype} {bias.shape}."
            )
        side, outputs = weight.shape[2], len(weight)
        if side % 2 == 0 or side != weight.shape[3] or outputs % self.upsample**2:
            raise PackageError(
                f"The hyper synthesis has a layer of shape {weight.shape}, not k x k with odd k."
            )
        most = np.abs(weight.astype(np.float64)).sum((1, 2, 3)) * MOST_ACTIVATION
        most += np.abs(bias.astype(np.float64)) + 2.0**self.shift
        if most.max() >= EXACT:
            raise PackageError(
                f"The hyper synthesis has sums up to {most.max():.3g}, where float64 is exact to"
                f" {EXACT:.3g}; export the model again."
            )

    def __call__(self, a: Array) -> Array:
        """Return (C_out / upsample ** 2, h * upsample, w * upsample) of (C_in, h, w), float64."""
        outputs, inputs, side, _ = self.weight.shape
        _, height, width = a.shape
        factor, margin = self.upsample, side // 2
        padded = np.pad(a, ((0, 0), (margin, margin), (margin, margin))) if margin else a
        out = np.empty((outputs // factor**2, height, factor, width, factor))
        # As torch's pixel shuffle has them.
        shuffled = out.transpose(0, 2, 4, 1, 3)
        least = 0 if self.relu else -MOST_ACTIVATION
        rows = min(height, max(1, CHUNK // width))
        # Made once, not once a chunk: memory that is new to a process costs time.
        columns, sums = (np.empty((n, rows * width)) for n in (inputs * side**2 + 1, outputs))
        # What the bias is multiplied by.
        columns[-1] = 1
        steps = columns[:-1].reshape(inputs, side, side, rows, width)
        for start in range(0, height, rows):
            # The last chunk begins within the one before it.
            first = min(start, height - rows)
            for top in range(side):
                for left in range(side):
                    seen = padded[:, first + top : first + top + rows, left : left + width]
                    steps[:, top, left] = seen
            np.matmul(self._matrix, columns, out=sums)
            np.floor(sums, out=sums)
            np.maximum(sums, least, out=sums)
            parts = sums.reshape(-1, factor, factor, rows, width)
            np.minimum(parts, MOST_ACTIVATION, out=shuffled[:, :, :, first : first + rows])
        return out.reshape(-1, height * factor, width * factor)

    @functools.cached_property
    def _matrix(self) -> Array:
        # Half of what is rounded off makes rounding down rounding to the nearest.
        half = 2.0 ** (self.shift - 1) if self.shift else 0.0
        weights = self.weight.reshape(len(self.weight), -1).astype(np.float64)
        # Times a power of two every product and sum has the same digits: exact as before.
        return np.column_stack([weights, self.bias + half]) * 2.0**-self.shift


@dataclass(frozen=True, eq=False)
class HyperSynthesis:
    """h_s: layers one after the other.

    Parameters
    ----------
    layers : tuple of Layer
        In order; each takes what the one before it gives.
    size : int, optional
        Hyper-latents along each axis that are computed at once. It bounds memory and changes no
        number.
    """

    layers: tuple[Layer, ...]
    size: int = SIZE

    def __post_init__(self) -> None:
        channels = self.inputs
        for layer in self.layers:
            if layer.weight.shape[1] != channels:
                raise PackageError("The layers of the hyper synthesis do not follow each other.")
            channels = len(layer.weight) // layer.upsample**2

    @property
    def inputs(self) -> int:
        """Number of channels of the hyper-latents."""
        return int(self.layers[0].weight.shape[1])

    @property
    def outputs(self) -> int:
        """Number of channels of the output."""
        return len(self.layers[-1].weight) // self.layers[-1].upsample ** 2

    @property
    def upsample(self) -> int:
        """Latents along each axis for each hyper-latent."""
        return int(np.prod([layer.upsample for layer in self.layers]))

    @property
    def halo(self) -> int:
        """Hyper-latents beyond its own that an output depends on, along each axis."""
        reach, scale = 0.0, 1
        for layer in self.layers:
            reach += layer.weight.shape[2] // 2 / scale
            scale *= layer.upsample
        return int(np.ceil(reach))

    def __call__(self, z_hat: Array) -> Array:
        """Return (C, h, w) int32, ``FRACTION`` bits of it a fraction, of z_hat (Nz, h', w')."""
        _, height, width = z_hat.shape
        out = np.empty((self.outputs, height * self.upsample, width * self.upsample), np.int32)
        for target, part in self.parts(z_hat):
            out[:, *target] = part
        return out

    def parts(self, z_hat: Array) -> Iterator[tuple[tuple[slice, ...], Array]]:
        """Yield rectangles that cover the output, each with its values, as float64."""
        scale, halo = self.upsample, (self.halo, self.halo)
        for tile in tiles(z_hat.shape[1:], size=(self.size, self.size), halo=halo):
            seen = z_hat[:, *tile.source()]
            a = np.clip(seen, -MOST_INPUT, MOST_INPUT).astype(np.float64) * 2**FRACTION
            for layer in self.layers:
                a = layer(a)
            yield tile.target(scale), a[:, *tile.inner(scale)]
