"""Made numbers and layers of the known answers that native kernels are checked by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels.convolution import Convolution


def scattered(count: int) -> npt.NDArray[Any]:
    """Return numbers all over the range of int32, as int64."""
    return np.arange(count, dtype=np.int64) * 2654435761 % 2**32 - 2**31


def made_layer(
    outputs: int, inputs: int, side: int, *, shift: int, low: int, high: int
) -> Convolution:
    """Return a convolution with small weights of both signs."""
    shape = outputs, inputs, side, side
    weight = (scattered(outputs * inputs * side**2) >> 24).astype(np.int16).reshape(shape)
    return Convolution(weight, np.arange(outputs, dtype=np.int32) - 3, shift, low, high)
