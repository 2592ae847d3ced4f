"""Separable lapped transform in integers: latents to pixels and back, exact on every path.

A block of S x S latents spans 2 S x 2 S pixels, its own S x S and half a block around. Both
directions multiply along one axis, round, and multiply along the other. Malvar, "Signal processing
with lapped transforms", 1992.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import PackageError
from cytopress.kernels import extension, paths
from cytopress.kernels.fixed_point import clipped, prove, rounded
from cytopress.kernels.known_answer import scattered
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
# Blocks of one matrix product of the numpy path, about: its operands stay in the cache.
CHUNK = 256
# Of an analysis: that of native/module.c.
MOST_CHANNELS = 2**14


@dataclass(frozen=True, eq=False)
class LappedTransform:
    """The kernels of one direction.

    Parameters
    ----------
    along_y, along_x : ndarray
        (S, 2 S) int16: of each frequency, its weight of each pixel; the S middle ones are the
        block's own.
    shift_y, shift_x : int
        Bits that are rounded off behind the product along each axis, 1 to 30.
    order : ndarray
        (S * S,) of integers: the channel of the latents that holds frequency u along y and v along
        x, at u * S + v; each channel once. An analysis may write some of more channels.

    Raises
    ------
    PackageError
        The arrays do not fit, or a sum could leave 32 bits.
    """

    along_y: Array
    along_x: Array
    shift_y: int
    shift_x: int
    order: Array

    def __post_init__(self) -> None:
        size = len(self.along_y)
        shapes = self.along_y.shape == self.along_x.shape == (size, 2 * size)
        if not shapes or size not in {8, 16} or self.order.shape != (size**2,):
            raise PackageError(
                f"A lapped transform has two kernels of (8, 16) or (16, 32), not"
                f" {self.along_y.shape} and {self.along_x.shape}."
            )
        channels = np.unique(self.order)
        whole = self.order.dtype.kind in "iu" and channels[0] >= 0
        if not whole or len(channels) < size**2 or channels[-1] >= self._most_channels:
            raise PackageError("The frequencies of a lapped transform are not each a channel.")

    @property
    def size(self) -> int:
        """S: pixels of a block along each axis."""
        return len(self.along_y)

    @property
    def _most_channels(self) -> int:
        return self.size**2

    @functools.cached_property
    def order32(self) -> Array:
        """The order as native code takes it."""
        return np.ascontiguousarray(self.order, np.int32)


class LappedSynthesis(LappedTransform):
    """From latents to pixels; beyond the latents there are none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        prove(self.columns, self.shift_y, "A lapped transform along y")
        prove(self.rows, self.shift_x, "A lapped transform along x")

    def __call__(self, latents: Array) -> Array:
        """Return pixels, (h * S, w * S) int32, of latents, (h, w, S * S) int32.

        Latents and what is between both products are clipped to 28 bits and a sign.

        Raises
        ------
        ValueError
            The latents have another shape or type.
        """
        size = self.size
        if latents.dtype != np.int32 or latents.shape[2:] != (size**2,):
            raise ValueError(
                f"A lapped transform of {size**2} latents cannot take {latents.dtype} of shape"
                f" {latents.shape}."
            )
        height, width = latents.shape[:2]
        out = np.empty((height * size, width * size), np.int32)
        if not out.size:
            return out
        path = paths.current(_known_synthesis)
        if path == paths.NUMPY:
            in_spans(functools.partial(self._numpy, latents, out), height)
            return out
        latents = np.ascontiguousarray(latents)
        call, order = extension.loaded().lapped_synthesis, self.order32
        form = (height, width, size, self.shift_y, self.shift_x, size**2)

        def rows(first: int, end: int) -> None:
            number = paths.NUMBERS[path]
            call(number, latents, self.columns, self.rows, order, out, form, (first, end))

        in_spans(rows, height)
        return out

    @functools.cached_property
    def columns(self) -> Array:
        """(S, 2 S): pixels of a segment, from the middle of one block to that of the next.

        The frequencies of the block before, then those of the block behind.
        """
        return _segments(self.along_y)

    @functools.cached_property
    def rows(self) -> Array:
        """The same along x."""
        return _segments(self.along_x)

    def _numpy(self, latents: Array, out: Array, first: int, end: int) -> None:
        """Write the pixels of rows of blocks."""
        size, width = self.size, latents.shape[1]
        step = max(1, CHUNK // width)
        for start in range(first, end, step):
            stop = min(start + step, end)
            # Blocks above and below reach into these pixels.
            seen = latents[max(start - 1, 0) : stop + 1][:, :, self.order]
            y = np.zeros((stop - start + 2, width + 2, size, size))
            top = 1 if start == 0 else 0
            y[top : top + len(seen), 1:-1] = clipped(seen).reshape(len(seen), width, size, size)
            pairs = np.concatenate([y[:-1], y[1:]], axis=2)
            columns = rounded(self.columns.astype(np.float64) @ pairs, self.shift_y)
            # By segment along y, block, pixel row, frequency along x.
            pairs = np.concatenate([columns[:, :-1], columns[:, 1:]], axis=3)
            pixels = rounded(pairs @ self.rows.T.astype(np.float64), self.shift_x)
            plane = pixels.transpose(0, 2, 1, 3).reshape(len(pixels) * size, -1)
            half = size // 2
            inner = plane[half:-half, half:-half]
            out[start * size : stop * size] = inner


class LappedAnalysis(LappedTransform):
    """From pixels to latents."""

    def __post_init__(self) -> None:
        super().__post_init__()
        prove(self.along_y, self.shift_y, "A lapped transform along y")
        prove(self.along_x, self.shift_x, "A lapped transform along x")

    @property
    def _most_channels(self) -> int:
        return MOST_CHANNELS

    def __call__(self, pixels: Array, out: Array | None = None) -> Array:
        """Return latents, (h, w, S * S) int32, of pixels, (h * S + S, w * S + S) int32.

        The pixels have a margin of half a block on each side. They and what is between both
        products are clipped to 28 bits and a sign.

        ``out``, (h, w, S * S or more) int32, contiguous, is written to and returned if given.

        Raises
        ------
        ValueError
            The pixels or ``out`` have another shape or type.
        """
        size = self.size
        fits = pixels.ndim == 2 and all(n >= size and n % size == 0 for n in pixels.shape)
        if pixels.dtype != np.int32 or not fits:
            raise ValueError(
                f"A lapped transform of blocks of {size} pixels and a margin of {size // 2} cannot"
                f" take {pixels.dtype} of shape {pixels.shape}."
            )
        height, width = (n // size - 1 for n in pixels.shape)
        if out is None:
            out = np.empty((height, width, size**2), np.int32)
        fits = (
            out.ndim == 3 and out.shape[:2] == (height, width) and out.shape[2] > self.order.max()
        )
        if not fits or out.dtype != np.int32 or not out.flags.c_contiguous:
            raise ValueError(f"Latents of {pixels.shape} pixels cannot be {out.shape} {out.dtype}.")
        if not out.size:
            return out
        path = paths.current(_known_analysis)
        if path == paths.NUMPY:
            in_spans(functools.partial(self._numpy, pixels, out), height)
            return out
        pixels = np.ascontiguousarray(pixels)
        call, order = extension.loaded().lapped_analysis, self.order32
        kernels = np.ascontiguousarray(self.along_y), np.ascontiguousarray(self.along_x)
        form = (height, width, size, self.shift_y, self.shift_x, out.shape[2])

        def rows(first: int, end: int) -> None:
            call(paths.NUMBERS[path], pixels, *kernels, order, out, form, (first, end))

        in_spans(rows, height)
        return out

    def _numpy(self, pixels: Array, out: Array, first: int, end: int) -> None:
        """Write the latents of rows of blocks."""
        size, width = self.size, out.shape[1]
        step = max(1, CHUNK // width)
        for start in range(first, end, step):
            stop = min(start + step, end)
            seen = clipped(pixels[start * size : stop * size + size])
            blocks = seen.reshape(len(seen), width + 1, size)
            pairs = np.concatenate([blocks[:, :-1], blocks[:, 1:]], axis=2)
            rows = rounded(pairs @ self.along_x.T.astype(np.float64), self.shift_x)
            # By pixel row, block, frequency along x.
            lines = rows.reshape(stop - start + 1, size, width * size)
            pairs = np.concatenate([lines[:-1], lines[1:]], axis=1)
            found = rounded(self.along_y.astype(np.float64) @ pairs, self.shift_y)
            shaped = found.reshape(-1, size, width, size).transpose(0, 2, 1, 3)
            out[start:stop][:, :, self.order] = shaped.reshape(*shaped.shape[:2], -1)


def _segments(kernel: Array) -> Array:
    size = len(kernel)
    # A segment has the last pixels of the block before, and the first ones of the block behind.
    return np.ascontiguousarray(np.concatenate([kernel[:, size:], kernel[:, :size]]).T)


def _known(kind: type[LappedSynthesis | LappedAnalysis], path: str) -> bool:
    grid = np.arange(8 * 16, dtype=np.int64)
    along_y, along_x = (((grid * n % 6007) - 3003).astype(np.int16) for n in (7919, 104729))
    order = np.arange(64)[::-1]
    transform = kind(along_y.reshape(8, 16), along_x.reshape(8, 16), 13, 15, order)
    shape = (2, 3, 64) if kind is LappedSynthesis else (24, 32)
    numbers = scattered(math.prod(shape))
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            found.append(transform(numbers.astype(np.int32).reshape(shape)))
    return np.array_equal(found[0], found[1])


def _known_synthesis(path: str) -> bool:
    """Return whether a path computes what numpy does of a few latents."""
    return _known(LappedSynthesis, path)


def _known_analysis(path: str) -> bool:
    """Return whether a path computes what numpy does of a few pixels."""
    return _known(LappedAnalysis, path)
