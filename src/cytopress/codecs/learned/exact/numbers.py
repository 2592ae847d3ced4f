"""Fixed-point numbers of format 2: bits of fraction, bounds, and the one rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# Bits of fraction: of latents in quantization steps, of what predicts means, of latents and pixels
# in used ranges, of the synthesis' activations, and of the lapped transform's filters.
STEP_BITS, NARROW_BITS, LATENT_BITS, ACTIVATION_BITS, FILTER_BITS = 8, 4, 15, 12, 14
MOST_ACTIVATION = 2**15 - 1
MOST_SYMBOL = 2**22
# Of latents in steps with a fraction: a difference of two fits 32 bits.
MOST_LATENT = 2**30 - 1
# Shifts of layers whose output is added up: eight such sums fit 32 bits.
LEAST_SHIFT, MOST_SHIFT = 3, 24


def shifted(values: Array, bits: int) -> Array:
    """Return integers divided by ``2 ** bits``, rounded to the nearest, halves up."""
    if bits <= 0:
        return values << -bits
    rounded: Array = values + (1 << bits - 1)
    rounded >>= bits
    return rounded


def fixed(values: Array, bits: int, most: int) -> Array:
    """Return floats as int32 with ``bits`` of fraction, the nearest, clipped to ``most``."""
    # Of float32 a number below 2 ** 30 may be rounded up to it, and still fits.
    scaled: Array = np.rint(values * np.float32(2.0**bits) if bits else values)
    return np.clip(scaled, -most, most, out=scaled).astype(np.int32)
