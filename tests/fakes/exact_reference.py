"""Format 2 as its page defines it, in 64-bit integers, one sum at a time: slow, and independent."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def halved(value: Array, bits: int) -> Array:
    """Return integers without so many bits, rounded half up."""
    return np.floor_divide(2 * value + 2**bits, 2 ** (bits + 1)) if bits else value


def convolved(a: Array, weight: Array, bias: Array, shift: int) -> Array:
    """Return (h, w, C_out) int64 of (h, w, C_in): zeros beyond the borders."""
    height, width, _ = a.shape
    side = weight.shape[2]
    wide = np.pad(a.astype(np.int64), ((side // 2,) * 2, (side // 2,) * 2, (0, 0)))
    sums = np.zeros((height, width, len(weight)), np.int64) + bias
    for top in range(side):
        for left in range(side):
            seen = wide[top : top + height, left : left + width]
            sums += np.einsum("hwi,oi->hwo", seen, weight[:, :, top, left].astype(np.int64))
    return halved(sums, shift)


def corrected(
    x: Array, layers: list[tuple[Array, Array, int]], added_to: Array | None = None
) -> Array:
    """Return dequantized latents, or those of the middle slab, with what the network adds."""
    a = np.clip(halved(x, 3), -32767, 32767)
    for index, (weight, bias, shift) in enumerate(layers):
        a = convolved(a, weight, bias, shift)
        if index < len(layers) - 1:
            a = np.clip(a, 0, 32767)
    return np.clip((x if added_to is None else added_to) + a, -(2**28) + 1, 2**28 - 1)


def transformed(x: Array, along_y: Array, along_x: Array, place: Array) -> Array:
    """Return the plane of latents, (h, w, S * S)."""
    height, width, _ = x.shape
    size = len(along_y)
    rows = np.zeros((height * size, width, size), np.int64)
    for v in range(size):
        for u in range(size):
            values = x[:, :, place[u * size + v]].astype(np.int64)
            for i in range(height):
                for tap in range(2 * size):
                    row = i * size + tap - size // 2
                    if 0 <= row < height * size:
                        rows[row, :, v] += int(along_y[u, tap]) * values[i]
    rows = np.clip(halved(rows, 14), -(2**28) + 1, 2**28 - 1)
    plane = np.zeros((height * size, width * size), np.int64)
    for v in range(size):
        for j in range(width):
            for tap in range(2 * size):
                column = j * size + tap - size // 2
                if 0 <= column < width * size:
                    plane[:, column] += int(along_x[v, tap]) * rows[:, j, v]
    return np.clip(halved(plane, 14), -(2**28) + 1, 2**28 - 1)
