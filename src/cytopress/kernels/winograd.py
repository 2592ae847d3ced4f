"""Winograd's minimal filtering, F(2 x 2, 3 x 3): convolutions of 3 x 3 by numpy, exactly.

Four outputs take 16 products instead of 36. Lavin and Gray, "Fast algorithms for convolutional
neural networks", CVPR 2016. All numbers are integers times one power of two, far below 2 ** 53 of
it, so that sums in float64 are exact in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# Of a kernel, along either axis, times 2.
KERNEL = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]])
# Elements of transformed inputs that are multiplied at once: they stay in the cache.
CHUNK = 2**17


@dataclass(frozen=True, eq=False)
class Winograd:
    """One layer.

    Parameters
    ----------
    kernels : ndarray
        (4, 4, C_in, C_out) float64: transformed kernels.
    bias : ndarray
        (C_out,) float64.
    """

    kernels: Array
    bias: Array

    @classmethod
    def of(cls, weight: Array, bias: Array, factor: float) -> Winograd:
        """Return that of weights, (C_out, C_in, 3, 3) integers, and of (C_out,) biases.

        ``factor``, a power of two, multiplies all outputs.
        """
        whole = np.einsum("ia,jb,ocab->ijco", KERNEL, KERNEL, weight.astype(np.int64))
        return cls(whole * (factor / 4), bias * factor)

    def rows(self, outputs: int, width: int) -> int:
        """Return rows of outputs to compute at once, even; of ``outputs`` at most."""
        held = 8 * (width + 2) * self.kernels.shape[2]
        return 2 * min(max(1, CHUNK // held), -(-outputs // 2))

    def sums(self, rows: int, width: int) -> Callable[[Array], Array]:
        """Return what takes inputs, (rows + 2, columns + 2, C_in) float64, and gives outputs.

        They are (rows, columns, C_out) float64; ``rows`` and the columns, ``width`` or one more,
        are even. Its arrays are used again at the next call.
        """
        down, across = rows // 2, (width + 1) // 2
        inputs, outputs = self.kernels.shape[2:]
        along = np.empty((4, down, 2 * across + 2, inputs))
        parts = np.empty((4, 4, down, across, inputs))
        products = np.empty((16, down * across, outputs))
        out = np.empty((down, 2, across, 2, outputs))
        kernels = self.kernels.reshape(16, inputs, outputs)

        def compute(padded: Array) -> Array:
            _transform([padded[k : k + rows : 2] for k in range(4)], along)
            columns = [along[:, :, k : k + 2 * across : 2] for k in range(4)]
            _transform(columns, parts.swapaxes(0, 1))
            np.matmul(parts.reshape(16, down * across, inputs), kernels, out=products)
            of_rows = products.reshape(4, 4, down, across, outputs)
            for row, part in enumerate(_outputs(of_rows)):
                for column, found in enumerate(_outputs(part)):
                    np.add(found, self.bias, out=out[:, row, :, column])
            return out.reshape(rows, 2 * across, outputs)

        return compute


def _transform(inputs: Sequence[Array], out: Array) -> None:
    """Write the four transformed inputs of each two outputs along an axis."""
    first, second, third, fourth = inputs
    np.subtract(first, third, out=out[0])
    np.add(second, third, out=out[1])
    np.subtract(third, second, out=out[2])
    np.subtract(second, fourth, out=out[3])


def _outputs(x: Array) -> tuple[Array, Array]:
    """Return the two outputs of four products along the first axis."""
    even, odd = x[1] + x[2], x[1] - x[2]
    even += x[0]
    odd -= x[3]
    return even, odd
