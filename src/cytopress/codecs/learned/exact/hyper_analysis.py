"""Hyper analysis in 16-bit integers: latents to hyper-latents. An encoder's alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.integer_layers import integer_layer
from cytopress.codecs.learned.exact.numbers import MOST_ACTIVATION, STEP_BITS
from cytopress.errors import PackageError
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.places import neighborhoods

Array = npt.NDArray[Any]
# Of the layers in a graph, and how many latents each passes over.
LAYERS = (("h_a.layers.0", 2), ("h_a.layers.2", 1), ("h_a.layers.4", 2))
# Rows of hyper-latents that are computed at once: bounds memory, changes no number.
ROWS = 32


@dataclass(frozen=True, eq=False)
class HyperAnalysis:
    """h_a: layers one after the other; those of 3 x 3 latents have strides of 2.

    Parameters
    ----------
    layers : tuple of Convolution
        The first takes logarithms; all but the last have a rectifier.
    """

    layers: tuple[Convolution, ...]

    @classmethod
    def of(cls, weights: Mapping[str, Array]) -> HyperAnalysis:
        """Return the integer form of a graph's weights, by name.

        Raises
        ------
        PackageError
            There is none.
        """
        layers, channels = [], 0
        for name, stride in LAYERS:
            try:
                weight, bias = (
                    weights[f"{name}.{part}"].astype(np.float64) for part in ("weight", "bias")
                )
            except KeyError as error:
                raise PackageError(f"The hyper analysis has no {error}.") from error
            side = 3 if stride == 2 else 1
            if weight.shape[2:] != (side, side) or channels not in (0, weight.shape[1]):
                raise PackageError("The layers of the hyper analysis do not follow each other.")
            # The graph takes natural logarithms.
            factor, last = 1.0 if channels else math.log(2), name == LAYERS[-1][0]
            channels = len(weight)
            shift, whole, offset = integer_layer(weight * factor, bias, (STEP_BITS, STEP_BITS))
            limits = (-(2**31), 2**31 - 1) if last else (0, MOST_ACTIVATION)
            layers.append(Convolution(whole, offset, shift, *limits, MOST_ACTIVATION, stride))
        return cls(tuple(layers))

    def __call__(self, latents: Array) -> Array:
        """Return hyper-latents, (h / 4, w / 4, Nz) int32, of latents, (h, w, M) int32.

        Both in steps with ``STEP_BITS`` bits of fraction; h and w are multiples of 4.
        """
        height, width = (length // 4 for length in latents.shape[:2])
        out = np.empty((height, width, len(self.layers[-1].weight)), np.int32)
        for top in range(0, height, ROWS):
            end = min(top + ROWS, height)
            # A hyper-latent sees the three latents before its own four, and none behind.
            first = max(4 * top - 4, 0)
            a = true_logarithms(latents[first : 4 * end])
            for layer in self.layers:
                a = layer(_padded(a) if layer.stride == 2 else a)
            start = top - first // 4
            out[top:end] = a[start : start + end - top]
        return out


def true_logarithms(values: Array) -> Array:
    """Return sign(v) log2(1 + |v|), int16, of int32; both with ``STEP_BITS``."""
    # Between powers of two it is a line: 0.344 f (1 - f) is missing, to within 0.008.
    found = neighborhoods(values, 0)[0].reshape(values.shape)
    part: Array = np.abs(found)
    part &= (1 << STEP_BITS) - 1
    part *= (1 << STEP_BITS) - part
    part >>= 6
    part *= 88
    part >>= 10
    sign = found >> 15
    part ^= sign
    part -= sign
    part += found
    return part


def _padded(a: Array) -> Array:
    """Return the same with a zero before it along each axis; none is needed behind."""
    out = np.zeros((a.shape[0] + 1, a.shape[1] + 1, a.shape[2]), a.dtype)
    out[1:, 1:] = a
    return out
