"""A matrix over a stack of arrays: transforms along z of volumes, exact on every path."""

from __future__ import annotations

import functools
from collections.abc import Sequence
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
# Of all arrays together: that of native/kernels.h, twice.
MOST_ROWS = 64
# Places of one matrix product of the numpy path: its operands stay in the cache.
CHUNK = 128


@dataclass(frozen=True, eq=False)
class StackMatrix:
    """Products of a matrix with the rows of several arrays, one behind the other.

    Parameters
    ----------
    matrix : ndarray
        (outputs, arrays * rows) int16.
    shift : int
        Bits that are rounded off, 1 to 30.
    channels : int
        Of each array.
    order : ndarray, optional
        (rows, count) of integers: the channel that each number of a row is; ``channels`` for 0. An
        array is one row unless given. The count is a multiple of 32.

    Raises
    ------
    PackageError
        The arrays do not fit, or a sum could leave 32 bits.
    """

    matrix: Array
    shift: int
    channels: int
    order: Array | None = None

    def __post_init__(self) -> None:
        prove(self.matrix, self.shift, "A transform along z")
        if self.matrix.ndim != 2 or max(self.matrix.shape) > MOST_ROWS or self.inputs % self.rows:
            raise PackageError(
                f"A transform along z cannot be of shape {self.matrix.shape}, with {self.rows} rows"
                f" of each array: it has at most {MOST_ROWS}."
            )
        order = self.order
        held = order is None or (order.dtype.kind in "iu" and order.min() >= 0)
        if not held or (order is not None and order.max() > self.channels) or self.count % 32:
            raise PackageError(
                f"A transform along z does not take {self.count} numbers of {self.channels}."
            )

    @property
    def rows(self) -> int:
        """Rows of each array."""
        return 1 if self.order is None else len(self.order)

    @property
    def count(self) -> int:
        """Numbers of a row."""
        return self.channels if self.order is None else self.order.shape[1]

    @property
    def inputs(self) -> int:
        """Rows of all arrays."""
        return int(self.matrix.shape[1])

    @property
    def stack(self) -> int:
        """How many arrays there are."""
        return self.inputs // self.rows

    def __call__(self, stack: Sequence[Array]) -> Array:
        """Return the products, (outputs, places, count) int32, of arrays, (places, channels) int32.

        Numbers are clipped to 28 bits and a sign, before and behind.

        Raises
        ------
        ValueError
            The arrays have other shapes or types.
        """
        places = len(stack[0]) if stack else 0
        form = (places, self.channels), np.dtype(np.int32)
        if len(stack) != self.stack or any((x.shape, x.dtype) != form for x in stack):
            raise ValueError(
                f"A transform along z of {self.stack} arrays of {self.channels} channels cannot"
                f" take {[(x.shape, x.dtype.name) for x in stack]}."
            )
        out = np.empty((len(self.matrix), places, self.count), np.int32)
        path = paths.current(_known_answer) if out.size else paths.NUMPY
        if path == paths.NUMPY:
            in_spans(functools.partial(self._numpy, stack, out), places)
            return out
        call, number = extension.loaded().stack_product, paths.NUMBERS[path]
        given = (
            *(number, tuple(map(np.ascontiguousarray, stack)), self._pairs, self._order32, out),
            (places, self.channels, self.rows, self.count, len(self.matrix), self.shift),
        )
        in_spans(lambda *span: call(*given, span), places)
        return out

    @functools.cached_property
    def _pairs(self) -> Array:
        """Return the matrix with an even number of inputs."""
        return np.ascontiguousarray(np.pad(self.matrix, [(0, 0), (0, self.inputs % 2)]))

    @functools.cached_property
    def _order32(self) -> Array | None:
        return None if self.order is None else np.ascontiguousarray(self.order, np.int32)

    def _numpy(self, stack: Sequence[Array], out: Array, first: int, end: int) -> None:
        matrix = self.matrix.astype(np.float64)
        for start in range(first, end, CHUNK):
            part = slice(start, min(start + CHUNK, end))
            rows = np.concatenate([self._rows(x[part]) for x in stack])
            # Sums are below 2 ** 53: exact in any order.
            sums = matrix @ rows.reshape(len(rows), -1)
            out[:, part] = rounded(sums, self.shift).reshape(len(out), -1, self.count)

    def _rows(self, x: Array) -> Array:
        """Return the rows of some places, (rows, places, count) float64."""
        if self.order is None:
            return clipped(x)[None]
        wide = np.zeros((self.channels + 1, len(x)))
        wide[:-1] = clipped(x).T
        return wide[self.order].swapaxes(1, 2)


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few places."""
    numbers = scattered(3 * 16 * 32)
    stack = numbers.astype(np.int32).reshape(3, 16, 32)
    # Places that repeat.
    stack[:, 12:] = stack[:, 4:8]
    matrix = (np.arange(5 * 9, dtype=np.int64) * 7919 % 6007 - 3003).astype(np.int16).reshape(5, 9)
    order = (np.arange(3 * 32) * 5 % 33).reshape(3, 32)
    taken = StackMatrix(matrix, 14, 32, order), StackMatrix(matrix[:, :3].copy(), 15, 32)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            found.append([matrix(list(stack)) for matrix in taken])
    return all(np.array_equal(*pair) for pair in zip(*found, strict=True))
