"""Integer form of a layer's float weights: 16-bit weights with as much fraction as sums allow."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.numbers import LEAST_SHIFT, MOST_ACTIVATION
from cytopress.errors import PackageError
from cytopress.kernels.convolution import MOST_SUM

Array = npt.NDArray[Any]
# More bits of fraction than weights can use.
MOST_BITS = 20


def integer_layer(weight: Array, bias: Array, bits: tuple[int, int]) -> tuple[int, Array, Array]:
    """Return the shift, the weights, int16, and the biases, int32.

    With as many bits of fraction as keep every weight in 16 bits and every sum in 32.

    Parameters
    ----------
    weight, bias : ndarray
        (C_out, C_in, k, k) and (C_out,) float64.
    bits : tuple of int
        Bits of fraction of the layer's input and of its output.

    Raises
    ------
    PackageError
        The weights are too large.
    """
    before, behind = bits
    for fraction in range(MOST_BITS, behind - before + LEAST_SHIFT - 1, -1):
        whole, shift = np.rint(weight * 2.0**fraction), fraction + before - behind
        offset = np.rint(bias * 2.0 ** (fraction + before))
        sums = np.abs(whole).sum((1, 2, 3)) * MOST_ACTIVATION + np.abs(offset) + 2.0**shift
        if np.abs(whole).max() < 2**15 and sums.max() < MOST_SUM:
            return shift, whole.astype(np.int16), offset.astype(np.int32)
    raise PackageError(
        f"Weights up to {np.abs(weight).max():.3g} have no form in 16 bits with sums of 32:"
        " train with a smaller learning rate, or export a float synthesis."
    )


def with_identity(weight: Array) -> Array:
    """Return weights plus 1 at the middle of each channel's own kernel: ``x`` plus the layer."""
    added = np.zeros(weight.shape)
    channels, middle = np.arange(len(added)), added.shape[2] // 2
    added[channels, channels, middle, middle] = 1
    return weight + added
