"""Convolution of 16-bit integers with 32-bit sums, exact on every path.

Activations lie as (h, w, C), channels last. A sum cannot leave 32 bits: a layer whose weights could
do so is refused when it is made, and inputs beyond the bound that this was proved for are refused.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import PackageError
from cytopress.kernels import extension, paths, workspace
from cytopress.kernels.threads import in_spans
from cytopress.kernels.winograd import Winograd

Array = npt.NDArray[Any]
# Sums stay below.
MOST_SUM = 2**31
# A residual is clipped to this. It may be added to sums that 2 bits or more were rounded off.
MOST_RESIDUAL = 2**30 - 1
LEAST_SHIFT = 2
# Products of float32 and their sums are exact below.
EXACT_FLOAT32 = 2**24
# Elements of one matrix of the numpy path: it stays in the cache.
CHUNK = 2**18
# Input channels from which on products take longer than the additions that spare some.
LEAST_CHANNELS = 48
# Output channels that the native kernels compute at once.
BLOCK = 16


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution, its rounding, an optional residual, and clipping.

    ``clip(((sum + bias + 2 ** (shift - 1)) >> shift) + residual, low, high)``; a shift of 0 rounds
    nothing. An odd kernel at stride 1 is padded with zeros to the size of its input; any other is
    not padded.

    Parameters
    ----------
    weight : ndarray
        (C_out, C_in, k, k) int16.
    bias : ndarray
        (C_out,) int32.
    shift : int
        Bits that are rounded off, 0 to 30.
    low, high : int
        Range of the output: int16 if it fits, else int32.
    most : int, optional
        No input is farther from 0; at most 2 ** 15.
    stride : int, optional
        Positions from one output to the next, along each axis.

    Raises
    ------
    PackageError
        The shapes do not fit, or a sum could leave 32 bits.
    """

    weight: Array
    bias: Array
    shift: int
    low: int
    high: int
    most: int = 2**15
    stride: int = 1

    def __post_init__(self) -> None:
        weight, bias = self.weight, self.bias
        if weight.dtype != np.int16 or bias.dtype != np.int32:
            raise PackageError(
                f"A convolution has weights of int16 and a bias of int32, not {weight.dtype} and"
                f" {bias.dtype}."
            )
        square = weight.ndim == 4 and weight.shape[2] == weight.shape[3]
        if not square or not weight.size or bias.shape != weight.shape[:1]:
            raise PackageError(
                f"A convolution of shape {weight.shape} with {bias.shape} biases is not"
                " (C_out, C_in, k, k) and (C_out,)."
            )
        known = 0 <= self.shift <= 30 and 1 <= self.most <= 2**15 and 1 <= self.stride <= 16
        if not known or not -(2**31) <= self.low <= self.high < 2**31:
            raise PackageError(
                f"A convolution cannot have shift {self.shift}, inputs up to {self.most}, stride"
                f" {self.stride} and outputs from {self.low} to {self.high}."
            )
        if int(self._most_sums.max()) >= MOST_SUM:
            raise PackageError(
                f"A convolution has sums up to {self._most_sums.max():.3g}, and 32 bits hold"
                f" {MOST_SUM:.3g}; export the model again."
            )

    @functools.cached_property
    def _most_sums(self) -> Array:
        sizes = np.abs(self.weight.astype(np.int64)).sum((1, 2, 3)) * self.most
        most: Array = sizes + np.abs(self.bias.astype(np.int64)) + self._half
        return most

    @property
    def _half(self) -> int:
        return 1 << self.shift >> 1

    @property
    def margin(self) -> int:
        """Zeros on each side of the input."""
        side = self.weight.shape[2]
        return side // 2 if side % 2 and self.stride == 1 else 0

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Return (h', w', C_out) of an input of shape (h, w, C_in)."""
        side, margin = self.weight.shape[2], self.margin
        height, width = ((n + 2 * margin - side) // self.stride + 1 for n in shape[:2])
        return max(height, 0), max(width, 0), len(self.weight)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the output."""
        return np.dtype(np.int16 if -(2**15) <= self.low <= self.high < 2**15 else np.int32)

    def __call__(self, x: Array, residual: Array | None = None, out: Array | None = None) -> Array:
        """Return the output, (h', w', C_out), of x, (h, w, C_in) int16.

        Parameters
        ----------
        x : ndarray
            (h, w, C_in) int16.
        residual : ndarray, optional
            Of the output's shape, int16 or int32; clipped to 30 bits and a sign. Needs a shift of
            2 or more.
        out : ndarray, optional
            Where the output goes, contiguous.

        Raises
        ------
        ValueError
            An array has another shape or type, or an input is farther from 0 than ``most``.
        """
        if x.dtype != np.int16 or x.ndim != 3 or x.shape[2] != self.weight.shape[1]:
            raise ValueError(
                f"A convolution of {self.weight.shape[1]} channels cannot take {x.dtype} of shape"
                f" {x.shape}."
            )
        shape = self.output_shape(x.shape)
        if residual is not None:
            fits = residual.shape == shape and residual.dtype in {np.dtype("i2"), np.dtype("i4")}
            if not fits or self.shift < LEAST_SHIFT:
                raise ValueError(
                    f"{residual.dtype} of shape {residual.shape} cannot be added to a convolution"
                    f" of shape {shape} and shift {self.shift}."
                )
        if out is None:
            out = workspace.empty(shape, self.dtype)
        elif out.shape != shape or out.dtype != self.dtype or not out.flags.c_contiguous:
            raise ValueError(f"{out.dtype} of shape {out.shape} cannot be that of {shape}.")
        if not out.size:
            return out
        path = paths.current(_known_answer)
        if path == paths.NUMPY:
            in_spans(functools.partial(self._rows, x, residual, out), shape[0])
        else:
            self._native(path, x, residual, out)
        return out

    def _native(self, path: str, x: Array, residual: Array | None, out: Array) -> None:
        x = np.ascontiguousarray(x)
        added = 0 if residual is None else residual.itemsize
        held = None if residual is None else np.ascontiguousarray(residual)
        form = (*x.shape, *out.shape, self.weight.shape[2], self.stride, self.margin)
        tail = (self.shift, self.low, self.high, self.most, out.itemsize, added)
        call = extension.loaded().convolve
        number = paths.NUMBERS[path]

        def rows(first: int, end: int) -> None:
            call(number, x, *self.packed, held, out, form, tail, (first, end))

        in_spans(rows, out.shape[0])

    @functools.cached_property
    def packed(self) -> tuple[Array, Array]:
        """Weights and biases as native code takes them, whole blocks of outputs.

        (blocks, k, k, pairs, BLOCK, 2) int16, pairs of input channels, and (blocks * BLOCK,) int32
        with half of what is rounded off.
        """
        outputs, inputs, side, _ = self.weight.shape
        blocks, pairs = -(-outputs // BLOCK), -(-inputs // 2)
        padded = np.zeros((blocks * BLOCK, pairs * 2, side, side), np.int16)
        padded[:outputs, :inputs] = self.weight
        split = padded.reshape(blocks, BLOCK, pairs, 2, side, side)
        bias = np.zeros(blocks * BLOCK, np.int32)
        bias[:outputs] = self.bias + np.int32(self._half)
        return np.ascontiguousarray(split.transpose(0, 4, 5, 2, 1, 3)), bias

    @functools.cached_property
    def described(self) -> tuple[Any, ...]:
        """The layer as native code takes it among others, where its stride is 1."""
        (outputs, inputs, side, _), numbers = self.weight.shape, (self.shift, self.low, self.high)
        return *self.packed, (inputs, outputs, side, self.margin), (*numbers, self.most)

    @functools.cached_property
    def _matrix(self) -> Array:
        exact32 = int(self._most_sums.max()) < EXACT_FLOAT32
        kind: Any = np.float32 if exact32 else np.float64
        weights = self.weight.transpose(2, 3, 1, 0).reshape(-1, len(self.weight))
        rows = np.concatenate([weights, (self.bias.astype(np.int64) + self._half)[None]])
        # Times a power of two every product and sum has the same digits: exact as before.
        matrix: Array = (rows * 2.0**-self.shift).astype(kind)
        return matrix

    @functools.cached_property
    def _winograd(self) -> Winograd | None:
        """The same with fewer products, where that is exact and pays."""
        small = self.weight.shape[1] < LEAST_CHANNELS
        if self.weight.shape[2] != 3 or self.stride != 1 or small:
            return None
        return Winograd.of(self.weight, self.bias.astype(np.int64) + self._half, 2.0**-self.shift)

    def _rows(self, x: Array, residual: Array | None, out: Array, first: int, end: int) -> None:
        """Write the output's rows from ``first`` to ``end``."""
        if self._winograd is not None:
            self._rows_of_few(self._winograd, x, residual, out, first, end)
            return
        side, margin, stride = self.weight.shape[2], self.margin, self.stride
        inputs, width = x.shape[2], out.shape[1]
        rows = min(end - first, max(1, CHUNK // (width * self._matrix.shape[0])))
        matrix = self._matrix
        columns = np.empty((rows, width, side**2 * inputs + 1), matrix.dtype)
        columns[..., -1] = 1
        padded = np.zeros(((rows - 1) * stride + side, x.shape[1] + 2 * margin, inputs), np.int16)
        for start in range(first, end, rows):
            count = min(rows, end - start)
            self._fill(padded, x, start * stride - margin)
            for tap in range(side**2):
                top, left = divmod(tap, side)
                seen = padded[top::stride, left::stride][:rows, :width]
                columns[..., tap * inputs : (tap + 1) * inputs] = seen
            sums = columns[:count].reshape(count * width, -1) @ matrix
            self._put(sums.reshape(count, width, -1), residual, out, start)

    def _rows_of_few(
        self,
        layer: Winograd,
        x: Array,
        residual: Array | None,
        out: Array,
        first: int,
        end: int,
    ) -> None:
        """As `_rows`, with fewer products."""
        width = out.shape[1]
        rows = layer.rows(end - first, width)
        padded = np.zeros((rows + 2, width + width % 2 + 2, x.shape[2]))
        compute = layer.sums(rows, width)
        for start in range(first, end, rows):
            self._fill(padded, x, start - 1)
            sums = compute(padded)[: min(rows, end - start), :width]
            self._put(sums, residual, out, start)

    def _put(self, sums: Array, residual: Array | None, out: Array, start: int) -> None:
        """Write sums, (rows, width, C_out), to the output's rows from ``start`` on."""
        sums = np.floor(sums, out=sums)
        if residual is not None:
            part = residual[start : start + len(sums)]
            sums += np.clip(part.astype(np.float64), -MOST_RESIDUAL, MOST_RESIDUAL)
        np.maximum(sums, self.low, out=sums)
        out[start : start + len(sums)] = np.minimum(sums, self.high, out=sums)

    def _fill(self, padded: Array, x: Array, top: int) -> None:
        """Copy rows of ``x`` from ``top`` on into ``padded``, zeros outside."""
        first, end = max(top, 0), min(top + len(padded), len(x))
        padded[: first - top] = 0
        padded[max(end - top, 0) :] = 0
        if end > first:
            part = x[first:end]
            if int(part.min()) < -self.most or int(part.max()) > self.most:
                raise ValueError(f"An activation is farther from 0 than {self.most}.")
            padded[first - top : end - top, self.margin : self.margin + x.shape[1]] = part


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of one small layer."""
    grid = np.arange(9 * 8 * 6, dtype=np.int64)
    x = ((grid * 7919 % 65521) - 2**15).astype(np.int16).reshape(9, 8, 6)
    taps = np.arange(18 * 6 * 9, dtype=np.int64)
    weight = (taps * 104729 % 1021 - 510).astype(np.int16).reshape(18, 6, 3, 3)
    bias = (np.arange(18) * 99991 - 900000).astype(np.int32)
    layer = Convolution(weight, bias, 9, -30000, 20000)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            found.append(layer(x, np.resize(x, (9, 8, 18))))
    return np.array_equal(found[0], found[1])
