"""Analysis in integers: a separable lapped transform, then a network among the latents.

An encoder's alone: no decoder depends on it. The integers are those nearest to the float weights of
a package's graphs, with the fraction bits of the synthesis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.integer_layers import integer_layer, with_identity
from cytopress.codecs.learned.exact.numbers import (
    ACTIVATION_BITS,
    FILTER_BITS,
    LATENT_BITS,
    MOST_ACTIVATION,
)
from cytopress.errors import PackageError
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.fractions import narrowed
from cytopress.kernels.lapped_transform import LappedAnalysis

Array = npt.NDArray[Any]
# Rows of latents that are computed at once: bounds memory, changes no number.
ROWS = 64
LAYER = re.compile(r"g_a\.network\.(\d+)\.(convolution\.)?weight")


@dataclass(frozen=True, eq=False)
class Analysis:
    """g_a: planes to latents.

    Parameters
    ----------
    transform : LappedAnalysis
        From pixels to latents.
    network : tuple of Convolution
        The layers; the last one's output is added to the latents.
    """

    transform: LappedAnalysis
    network: tuple[Convolution, ...]

    @classmethod
    def of(cls, weights: Mapping[str, Array], place: Array) -> Analysis:
        """Return the integer form of a graph's weights, by name.

        ``place`` is the latent of frequency u along y and v along x, at u S + v.

        Raises
        ------
        PackageError
            There is none.
        """
        kernels = [np.rint(_squeezed(weights, f"g_a.along_{a}.weight") * 2**14) for a in "yx"]
        along_y, along_x = (each.astype(np.int16) for each in kernels)
        bits = FILTER_BITS, FILTER_BITS
        transform = LappedAnalysis(along_y, along_x, *bits, place.astype(np.int64))
        found = sorted(filter(None, map(LAYER.fullmatch, weights)), key=lambda m: int(m[1]))
        channels, layers = transform.size**2, []
        for index, match in enumerate(found):
            weight = weights[match[0]].astype(np.float64)
            bias = _held(weights, match[0].replace("weight", "bias"))
            if weight.ndim != 4 or weight.shape[1] != channels or weight.shape[2] % 2 == 0:
                raise PackageError("The layers of the analysis do not follow each other.")
            channels, last = len(weight), index == len(found) - 1
            layers.append(_layer(with_identity(weight) if match[2] else weight, bias, last=last))
        if not layers or channels != transform.size**2:
            raise PackageError("The analysis does not end in the channels of its latents.")
        return cls(transform, tuple(layers))

    def __call__(self, plane: Array, *, rows: int = ROWS) -> Array:
        """Return latents, (h, w, S * S) int32, of a plane, (h * S, w * S) int32.

        Both in used ranges with ``LATENT_BITS`` bits of fraction. ``rows``, those of latents
        that are computed at once, changes no number.
        """
        size, halo = self.transform.size, sum(each.margin for each in self.network)
        half, height = size // 2, plane.shape[0] // size
        out = np.empty((height, plane.shape[1] // size, size**2), np.int32)
        for top in range(0, height, rows):
            end = min(top + rows, height)
            first, last = max(top - halo, 0), min(end + halo, height)
            seen = np.zeros(((last - first + 1) * size, plane.shape[1] + size), np.int32)
            # Beyond the plane there are zeros.
            above, below = max(first * size - half, 0), last * size + half
            part = plane[above:below]
            start = above - first * size + half
            seen[start : start + len(part), half:-half] = part
            x = self.transform(seen)
            a = narrowed(x, LATENT_BITS - ACTIVATION_BITS)
            for layer in self.network:
                a = layer(a)
            inner = slice(top - first, end - first)
            np.add(x[inner], a[inner], out=out[top:end])
        return out


def _layer(weight: Array, bias: Array, *, last: bool) -> Convolution:
    bits = ACTIVATION_BITS, LATENT_BITS if last else ACTIVATION_BITS
    shift, whole, offset = integer_layer(weight, bias, bits)
    low, high = (-(2**31), 2**31 - 1) if last else (0, MOST_ACTIVATION)
    return Convolution(whole, offset, shift, low, high, most=MOST_ACTIVATION)


def _held(weights: Mapping[str, Array], name: str) -> Array:
    if name not in weights:
        raise PackageError(f"The analysis has no {name}.")
    return weights[name].astype(np.float64)


def _squeezed(weights: Mapping[str, Array], name: str) -> Array:
    """Return a filter, (S, 2 S), whose entries fit 16 bits."""
    found = _held(weights, name)
    if not len(found) or np.abs(found).max(initial=0) >= 2:
        raise PackageError(f"{name} of the analysis is no filter.")
    return found.reshape(len(found), -1)
