"""Resampling by a factor of two in integers: the decimation and interpolation filters of `Scaled`.

Interpolation is a Lanczos kernel of four lobes, decimation its least-squares match: of all small
planes it gives the one whose interpolation is nearest to the plane. Small pixels lie between the
large ones: pixel k at the middle of 2 k and 2 k + 1. Beyond its edges a plane is mirrored.

Taps are whole numbers, and all sums of float64 stay below 2**53: exact in any order, so that all
machines and all versions of NumPy give the same pixels.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.image import Pixels

Matrix = npt.NDArray[np.float64]
# In units of 2**-14. Frozen: files depend on it. Taps of the left of two large pixels around a
# small one; the right one's are mirrored.
INTERPOLATION = (-65, 516, -1502, 4631, 14638, -2495, 908, -247)
# Half of a symmetric filter, from the middle outwards. Encoders alone use it.
DECIMATION = (
    *(8183, 1625, -2133, -256, 1285, -19, -812, 39, 447, 4),
    *(-250, -2, 142, 0, -80, 0, 45, 0, -26, 0),
)
TAP_BITS = 14
# Small pixels that a matrix product takes or gives at a time, along either axis.
BLOCK = 32


def half(length: int) -> int:
    """Return the length of an axis at half the resolution."""
    return -(-length // 2)


def decimate(plane: Pixels, fraction: int, most: int) -> Pixels:
    """Return a plane of integers at half the resolution.

    Parameters
    ----------
    plane : ndarray
        Of shape (Y, X), unsigned integers of at most 16 bits.
    fraction : int
        Binary digits behind the point: small pixels count in ``2 ** -fraction``.
    most : int
        The largest small pixel.
    """
    reach = len(DECIMATION) - 1
    small = (half(plane.shape[0]), half(plane.shape[1]))
    values = np.empty(small, np.uint8 if most < 2**8 else np.uint16)
    columns = _mirrored(plane.shape[1], reach, 2 * small[1] + reach)
    for top in range(0, small[0], BLOCK):
        rows = _mirrored(plane.shape[0], reach - 2 * top, 2 * (top + BLOCK) + reach)
        band = _decimation() @ plane[rows][:, columns].astype(np.float64)
        bottom = min(top + BLOCK, small[0])
        for left in range(0, small[1], BLOCK):
            part = band[: bottom - top, 2 * left : 2 * (left + BLOCK + reach)]
            sums = part @ _decimation().T[: part.shape[1], : small[1] - left]
            values[top:bottom, left : left + BLOCK] = _rounded(sums, fraction, most)
    return values


def interpolate(plane: Pixels, fraction: int, shape: tuple[int, ...], most: int) -> Pixels:
    """Return a plane at twice the resolution, of a shape and with a largest pixel; see `decimate`.

    Parameters
    ----------
    plane : ndarray
        Unsigned integers of at most 16 bits.
    fraction : int
        Its binary digits behind the point.
    shape : (int, int)
        Of the result: twice that of ``plane``, or one less.
    most : int
        The largest pixel of the result.
    """
    reach = len(INTERPOLATION) // 2
    values = np.empty(shape, np.uint8 if most < 2**8 else np.uint16)
    columns = _mirrored(plane.shape[1], reach, plane.shape[1] + reach)
    for top in range(0, plane.shape[0], BLOCK):
        rows = _mirrored(plane.shape[0], reach - top, top + BLOCK + reach)
        band = _interpolation() @ plane[rows][:, columns].astype(np.float64)
        bottom = min(2 * (top + BLOCK), shape[0])
        for left in range(0, plane.shape[1], BLOCK):
            part = band[: bottom - 2 * top, left : left + BLOCK + 2 * reach]
            right = min(2 * (left + BLOCK), shape[1])
            sums = part @ _interpolation().T[: part.shape[1], : right - 2 * left]
            values[2 * top : bottom, 2 * left : right] = _rounded(sums, -fraction, most)
    return values


def interpolation_gain() -> float:
    """Return how many times larger than an error of small pixels that in large ones can be."""
    return float((sum(map(abs, INTERPOLATION)) / 2**TAP_BITS) ** 2)


def _rounded(sums: Matrix, fraction: int, most: int) -> Matrix:
    """Return sums over both axes to the nearest integer: exact, since the scale is a power of 2."""
    values: Matrix = np.floor(sums * 2.0 ** (fraction - 2 * TAP_BITS) + 0.5)
    return np.clip(values, 0, most)


def _mirrored(length: int, before: int, stop: int) -> npt.NDArray[np.intp]:
    """Return places from ``-before`` to ``stop`` on an axis that is mirrored at its edges."""
    places = np.arange(-before, stop) % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)


@functools.cache
def _decimation() -> Matrix:
    """Return the sums of a block: shape (BLOCK, 2 BLOCK + 2 reach)."""
    taps: tuple[Any, ...] = (*DECIMATION[::-1], *DECIMATION)
    matrix = np.zeros((BLOCK, 2 * BLOCK + len(taps) - 2))
    for place in range(BLOCK):
        matrix[place, 2 * place : 2 * place + len(taps)] = taps
    return matrix


@functools.cache
def _interpolation() -> Matrix:
    """Return the sums of a block: shape (2 BLOCK, BLOCK + 2 reach)."""
    matrix = np.zeros((2 * BLOCK, BLOCK + len(INTERPOLATION)))
    for place in range(BLOCK):
        matrix[2 * place, place : place + len(INTERPOLATION)] = INTERPOLATION
        first = place + 1
        matrix[2 * place + 1, first : first + len(INTERPOLATION)] = INTERPOLATION[::-1]
    return matrix
