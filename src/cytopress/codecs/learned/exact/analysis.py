"""Analysis in integers: a transform along z, a separable lapped one, a network among the latents.

An encoder's alone: no decoder depends on it. The integers are those nearest to the float weights of
a package's graphs, with the fraction bits of the synthesis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.along_z import PlanesAlongZ
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
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
# Rows of latents that are computed at once: bounds memory, changes no number.
ROWS = 64
LAYER = re.compile(r"g_a\.network\.(\d+)\.(convolution\.)?weight")


@dataclass(frozen=True, eq=False)
class Analysis:
    """g_a: planes to latents.

    Parameters
    ----------
    transforms : tuple of LappedAnalysis
        From pixels to latents, of each plane of a slab.
    network : tuple of Convolution
        The layers; the last one's output is added to the latents.
    along_z : PlanesAlongZ, optional
        From the planes that a slab sees to its own; None for planes.
    """

    transforms: tuple[LappedAnalysis, ...]
    network: tuple[Convolution, ...]
    along_z: PlanesAlongZ | None = None

    @classmethod
    def of(cls, weights: Mapping[str, Array], place: Array, *, slabs: bool = False) -> Analysis:
        """Return the integer form of a graph's weights, by name.

        ``place`` is the latent of frequency u along y and v along x, at u S + v; of ``slabs`` that
        of frequency w along z too, at (w S + u) S + v, and the number of latents where there is
        none.

        Raises
        ------
        PackageError
            There is none.
        """
        along_y, along_x = (_filter(weights, f"g_a.along_{axis}.weight") for axis in "yx")
        along_z = PlanesAlongZ(_filter(weights, "g_a.along_z.weight")) if slabs else None
        blocks, bits = len(along_y) ** 2, (FILTER_BITS, FILTER_BITS)
        if len(place) != blocks * (len(along_z.matrix) if along_z else 1):
            raise PackageError(f"The analysis does not have the frequencies of {len(place)}.")
        transforms = tuple(
            LappedAnalysis(along_y, along_x, *bits, order)
            for order in _each_once(place).reshape(-1, blocks)
        )
        layers = _layers(weights)
        latents = layers[0].weight.shape[1]
        if len(layers[-1].weight) != latents or np.count_nonzero(place < latents) != latents:
            raise PackageError("The analysis does not end in the channels of its latents.")
        return cls(transforms, layers, along_z)

    def __call__(self, planes: Sequence[Array], *, rows: int = ROWS) -> Array:
        """Return latents, (h, w, M) int32, of planes, (h * S, w * S) int32 each.

        Both in used ranges with ``LATENT_BITS`` bits of fraction. ``rows``, those of latents
        that are computed at once, changes no number.
        """
        size, halo = self.transforms[0].size, sum(each.margin for each in self.network)
        height, width = (length // size for length in planes[0].shape)
        out = np.empty((height, width, len(self.network[-1].weight)), np.int32)

        def band(top: int, end: int) -> None:
            first, last = max(top - halo, 0), min(end + halo, height)
            x = self._linear(planes, first, last)
            a = narrowed(x, LATENT_BITS - ACTIVATION_BITS)
            for layer in self.network:
                a = layer(a)
            inner = slice(top - first, end - first)
            np.add(x[inner], a[inner], out=out[top:end])

        def span(start: int, stop: int) -> None:
            for top in range(start, stop, rows):
                band(top, min(top + rows, stop))

        in_spans(span, height)
        return out

    def _linear(self, planes: Sequence[Array], first: int, last: int) -> Array:
        """Return rows of latents of the transforms alone."""
        size = self.transforms[0].size
        half, width = size // 2, planes[0].shape[1]
        above, below = max(first * size - half, 0), last * size + half
        parts: Sequence[Array] = [plane[above:below] for plane in planes]
        if self.along_z is not None:
            parts = list(self.along_z(parts))
        seen = np.zeros(((last - first + 1) * size, width + size), np.int32)
        start = above - first * size + half
        form = last - first, width // size, len(self.transforms) * size**2
        x = np.empty(form, np.int32)
        for part, transform in zip(parts, self.transforms, strict=True):
            # Beyond the plane there are zeros.
            seen[start : start + len(part), half:-half] = part
            transform(seen, x)
        # Frequencies that have no latent are behind all others.
        return np.ascontiguousarray(x[..., : len(self.network[-1].weight)])


def _layers(weights: Mapping[str, Array]) -> tuple[Convolution, ...]:
    found = sorted(filter(None, map(LAYER.fullmatch, weights)), key=lambda m: int(m[1]))
    channels, layers = 0, []
    for index, match in enumerate(found):
        weight = weights[match[0]].astype(np.float64)
        bias = _held(weights, match[0].replace("weight", "bias"))
        follows = weight.ndim == 4 and weight.shape[1] == (channels or weight.shape[1])
        if not follows or weight.shape[2] % 2 == 0:
            raise PackageError("The layers of the analysis do not follow each other.")
        channels, last = len(weight), index == len(found) - 1
        layers.append(_layer(with_identity(weight) if match[2] else weight, bias, last=last))
    if not layers:
        raise PackageError("The analysis has no layers.")
    return tuple(layers)


def _layer(weight: Array, bias: Array, *, last: bool) -> Convolution:
    bits = ACTIVATION_BITS, LATENT_BITS if last else ACTIVATION_BITS
    shift, whole, offset = integer_layer(weight, bias, bits)
    low, high = (-(2**31), 2**31 - 1) if last else (0, MOST_ACTIVATION)
    return Convolution(whole, offset, shift, low, high, most=MOST_ACTIVATION)


def _held(weights: Mapping[str, Array], name: str) -> Array:
    if name not in weights:
        raise PackageError(f"The analysis has no {name}.")
    return weights[name].astype(np.float64)


def _filter(weights: Mapping[str, Array], name: str) -> Array:
    """Return a filter, (outputs, inputs) int16 with ``FILTER_BITS`` bits of fraction."""
    found = _held(weights, name)
    if not len(found) or np.abs(found).max(initial=0) >= 2:
        raise PackageError(f"{name} of the analysis is no filter.")
    whole: Array = np.rint(found.reshape(len(found), -1) * 2.0**FILTER_BITS).astype(np.int16)
    return whole


def _each_once(place: Array) -> Array:
    """Return the channel of each frequency: those that have no latent follow the others."""
    order = np.empty(len(place), np.int64)
    order[np.argsort(place, kind="stable")] = np.arange(len(place))
    return order
