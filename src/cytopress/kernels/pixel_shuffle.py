"""Convolutions with pixel shuffles behind them, of a few rows at a time.

What is between the layers stays in the cache. Shi et al., "Real-time single image and video
super-resolution using an efficient sub-pixel convolutional neural network", CVPR 2016.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths, workspace
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.known_answer import made_layer, scattered
from cytopress.kernels.threads import in_spans, using

Array = npt.NDArray[Any]
# Rows of inputs that the numpy path computes at once: bounds memory, changes no number.
ROWS = 16


@dataclass(frozen=True, eq=False)
class ShuffledConvolutions:
    """Layers one after the other, then others side by side.

    Parameters
    ----------
    hidden : tuple of tuple
        At most 16 convolutions, int16, and the factor of the pixel shuffle behind each, 1 to 8.
        Output channels are those of each place of the shuffle, one place after the other.
    last : tuple of Convolution
        At most 4, of one place, int32.
    most : int
        Inputs are clipped to it, either way.
    """

    hidden: tuple[tuple[Convolution, int], ...]
    last: tuple[Convolution, ...]
    most: int

    @property
    def upsample(self) -> int:
        """Outputs along each axis for each input."""
        return prod(factor for _, factor in self.hidden)

    @functools.cached_property
    def halo(self) -> int:
        """Inputs beyond its own that an output depends on, along each axis."""
        reach, scale = 0.0, 1
        for layer, factor in self.hidden:
            reach += layer.margin / scale
            scale *= factor
        return ceil(reach)

    def __call__(self, inputs: Array) -> list[Array]:
        """Return what each of the last layers gives of (h, w, C) int32: (h * s, w * s, C') int32.

        ``s`` is `upsample`. Arrays of their own can be freed one by one.
        """
        (height, width), scale = inputs.shape[:2], self.upsample
        shape = height * scale, width * scale
        out = [workspace.empty((*shape, len(layer.weight)), np.int32) for layer in self.last]
        if not inputs.size:
            return out
        path = paths.current(_known_answer)
        if path == paths.NUMPY:
            in_spans(functools.partial(self._numpy, inputs, out), height)
            return out
        call, number = extension.loaded().shuffled_convolutions, paths.NUMBERS[path]
        given = np.ascontiguousarray(inputs), *self._described, tuple(out)
        form = (*inputs.shape, self.most)

        def rows(first: int, end: int) -> None:
            call(number, *given, form, (first, end))

        in_spans(rows, height)
        return out

    @functools.cached_property
    def _described(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        hidden = tuple((layer.described, factor) for layer, factor in self.hidden)
        return hidden, tuple(layer.described for layer in self.last)

    def _numpy(self, inputs: Array, out: list[Array], first: int, end: int) -> None:
        """Write the outputs of rows of inputs, some at a time."""
        scale = self.upsample
        for start in range(first, end, ROWS):
            stop, top = min(start + ROWS, end), max(0, start - self.halo)
            seen = inputs[top : stop + self.halo]
            with using(1):
                a = np.clip(seen, -self.most, self.most).astype(np.int16)
                for layer, factor in self.hidden:
                    a = shuffled(layer(a), factor)
                a = a[(start - top) * scale : (stop - top) * scale]
                for layer, part in zip(self.last, out, strict=True):
                    layer(a, out=part[start * scale : stop * scale])


def shuffled(a: Array, factor: int) -> Array:
    """Return (h * factor, w * factor, C) of (h, w, factor ** 2 * C)."""
    height, width, channels = a.shape
    split = a.reshape(height, width, factor, factor, channels // factor**2)
    return split.transpose(0, 2, 1, 3, 4).reshape(height * factor, width * factor, -1)


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few inputs."""
    wide = functools.partial(made_layer, shift=7, low=-(2**28), high=2**28)
    narrow = functools.partial(made_layer, shift=7, low=0, high=2**14)
    layers = ShuffledConvolutions(
        ((narrow(40, 5, 3), 2), (narrow(27, 10, 3), 3)),
        (wide(18, 3, 1), wide(2, 3, 1)),
        most=2**14,
    )
    inputs = (scattered(5 * 4 * 5) >> 16).astype(np.int32).reshape(5, 4, 5)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            found.append(layers(inputs))
    return all(map(np.array_equal, *found))
