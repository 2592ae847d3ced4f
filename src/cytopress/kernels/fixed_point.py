"""Products of fixed-point values with 16-bit coefficients: rounding, and the proof of their range.

A value of up to 28 bits and its sign is split in two limbs of 15 bits. Native code sums the limbs'
products in 32 bits each; the sum of both is rounded as one number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import PackageError

Array = npt.NDArray[Any]
# No value is farther from 0: larger ones are clipped.
MOST_VALUE = 2**28 - 1
LIMB = 15


def prove(coefficients: Array, shift: int, what: str) -> None:
    """Prove that sums over the last axis stay within 32 bits, for every value up to `MOST_VALUE`.

    Raises
    ------
    PackageError
        The coefficients are no int16, or a sum could leave 32 bits.
    """
    if coefficients.dtype != np.int16 or not coefficients.size or not 1 <= shift <= 30:
        raise PackageError(
            f"{what} has int16 coefficients with 1 to 30 fractional bits, not"
            f" {coefficients.dtype} with {shift}."
        )
    size = int(np.abs(coefficients.astype(np.int64)).sum(-1).max())
    limbs = max(size << LIMB, size * (2**LIMB - 1) + (1 << shift >> 1))
    if limbs >= 2**31 or (size * (MOST_VALUE + 1) >> shift) + 2 >= 2**31:
        raise PackageError(
            f"{what} has coefficients that add up to {size / 2**shift:.3g}, with {shift}"
            " fractional bits: sums would leave 32 bits. Export the model again."
        )


def clipped(values: Array) -> Array:
    """Return integers as float64, clipped to `MOST_VALUE`; products with 16 bits are exact."""
    return np.clip(values, -MOST_VALUE, MOST_VALUE).astype(np.float64)


def rounded(sums: Array, shift: int) -> Array:
    """Return exact sums, float64, without ``shift`` fractional bits, rounded half up, clipped."""
    # Sums have up to 45 bits: a half and a power of two leave them exact.
    sums += 2.0 ** (shift - 1)
    sums *= 2.0**-shift
    np.floor(sums, out=sums)
    return np.clip(sums, -MOST_VALUE, MOST_VALUE, out=sums)
