"""Secondary transforms of residuals in integers, and the choice of the cheapest of each place."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import PackageError
from cytopress.kernels import extension, paths
from cytopress.kernels.block_matrices import packed
from cytopress.kernels.known_answer import scattered
from cytopress.kernels.rate_distortion import CHUNK, FRACTION, CostTable
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
# Bits of fraction of the transforms, and of what they multiply: as many as keep sums in 32 bits.
PLACES, MOST_BITS, MOST_DOWN = 14, 14, 5
MOST_SUM = 2**31
# The cost of what cannot be transformed.
NEVER = 2**62


@dataclass(frozen=True, eq=False)
class ForwardTransforms:
    """Secondary transforms of C residuals of a place, and what they cost.

    Parameters
    ----------
    matrices : ndarray
        (count, C, C) int16 with 14 bits of fraction; matrix times residuals is the transform.
    bias : ndarray
        (count, C) int32 that each transform adds to the scale indices.

    Raises
    ------
    PackageError
        No useful number times a matrix stays in 32 bits.
    """

    matrices: Array
    bias: Array

    def __post_init__(self) -> None:
        if self.bits < MOST_BITS // 2:
            raise PackageError("A secondary transform has sums that 32 bits do not hold.")

    @functools.cached_property
    def bits(self) -> int:
        """Bits of what the matrices multiply, besides the sign."""
        size = int(np.abs(self.matrices.astype(np.int64)).sum(-1).max(initial=0))
        bits = MOST_BITS
        while bits and (size << bits) + (1 << PLACES - 1) >= MOST_SUM:
            bits -= 1
        return bits

    def cheapest(
        self,
        residual: Array,
        index: Array,
        classes: Array,
        choice: Array,
        table: CostTable,
    ) -> tuple[Array, int]:
        """Return the cheapest transform of each place, (places,) int8, and what they save in all.

        A transform is numbered from 1; 0 is none, which wins where costs are equal.

        Parameters
        ----------
        residual, index : ndarray
            (places, C) int32: residuals, and their scale indices with a fraction.
        classes : ndarray
            (places,) int8: the row of ``choice`` of each place; -1: it takes none.
        choice : ndarray
            (classes, 1 + count) int32: what it costs to choose none, or each transform.
        table : CostTable
            Costs by scale index.

        Raises
        ------
        ValueError
            The arrays have other shapes or types, or a class does not exist.
        """
        self._check(residual, classes)
        self._check(index, classes)
        count, channels = self.bias.shape
        if classes.size and not -1 <= int(classes.min()) <= int(classes.max()) < len(choice):
            raise ValueError(f"A class is not one of {len(choice)}.")
        out, saved = np.zeros(len(classes), np.int8), []
        path = paths.current(_known_answer)
        if path == paths.NUMPY:

            def span(first: int, end: int) -> None:
                places = first + np.flatnonzero(classes[first:end] >= 0)
                step = max(1, CHUNK // channels)
                for start in range(0, len(places), step):
                    part = places[start : start + step]
                    own = choice[classes[part]]
                    total = self._costs_by_numpy(residual[part], index[part], own, table)
                    out[part] = total.argmin(1)
                    saved.append(int((total[:, 0] - own[:, 0] - total.min(1)).sum()))

        else:
            call, number = extension.loaded().cheapest, paths.NUMBERS[path]
            inputs = residual, index, classes, self._packed, self._bias32, table.packed, choice
            held = tuple(np.ascontiguousarray(each) for each in inputs)
            form = count, channels, self.bits, table.whole_weight

            def span(first: int, end: int) -> None:
                saved.append(call(number, *held, out, form, (first, end)))

        in_spans(span, len(out))
        return out, sum(saved)

    def __call__(self, residual: Array, which: Array) -> Array:
        """Return residuals, (places, C) int32, by the transform of each place, (places,) int8.

        A transform is numbered from 1; 0 is none. The residuals are overwritten, if contiguous.

        Raises
        ------
        ValueError
            The arrays have other shapes or types, or a transform does not exist.
        """
        self._check(residual, which)
        count, channels = self.bias.shape
        if which.size and not 0 <= int(which.min()) <= int(which.max()) <= count:
            raise ValueError(f"A place names a transform that is not one of {count}.")
        out = np.ascontiguousarray(residual)
        path = paths.current(_known_answer)
        if path == paths.NUMPY:

            def span(first: int, end: int) -> None:
                for each in range(count):
                    places = first + np.flatnonzero(which[first:end] == each + 1)
                    found, possible = self._product(out[places], each)
                    out[places[possible]] = found[possible]

        else:
            call, number = extension.loaded().forward, paths.NUMBERS[path]
            held = np.ascontiguousarray(which), self._packed

            def span(first: int, end: int) -> None:
                call(number, out, *held, (count, channels, self.bits), (first, end))

        in_spans(span, len(out))
        return out

    @functools.cached_property
    def _packed(self) -> Array:
        return packed(self.matrices)

    @functools.cached_property
    def _bias32(self) -> Array:
        return np.ascontiguousarray(self.bias, np.int32)

    def _check(self, values: Array, places: Array) -> None:
        shape = len(places), self.bias.shape[1]
        kinds = values.dtype == np.int32 and places.dtype == np.int8
        if values.shape != shape or places.ndim != 1 or not kinds:
            raise ValueError(
                f"Transforms of {shape[1]} residuals cannot take {values.dtype} of shape"
                f" {values.shape} with {places.shape} of {places.dtype}."
            )

    def _costs_by_numpy(
        self, residual: Array, index: Array, choice: Array, table: CostTable
    ) -> Array:
        """Return the cost of each choice, (places, 1 + count) int64; `NEVER` where it is no use."""
        total = np.full(choice.shape, NEVER, np.int64)
        total[:, 0] = _costs(residual, index, table) + choice[:, 0]
        # No transform costs less than to choose it.
        least = choice[:, 1:].min(1, initial=2**31 - 1)
        open_ = np.flatnonzero(total[:, 0] > least)
        residual, index = residual[open_], index[open_]
        for number in range(len(self.bias)):
            values, possible = self._product(residual, number)
            cost = _costs(values, index + self._bias32[number], table) + choice[open_, number + 1]
            total[open_, number + 1] = np.where(possible, cost, NEVER)
        return total

    def _product(self, residual: Array, number: int) -> tuple[Array, Array]:
        """Return transformed residuals, and of which places they are true."""
        most = np.bitwise_or.reduce(residual ^ residual >> 31, axis=1)
        down = np.maximum(np.frexp(most.astype(np.float64))[1] - self.bits, 0)
        possible = down <= MOST_DOWN
        down = np.minimum(down, MOST_DOWN)[:, None]
        seen = residual.astype(np.int64) + (1 << down >> 1) >> down
        sums = seen.astype(np.float64) @ self.matrices[number].T.astype(np.float64)
        sums += 2.0 ** (PLACES - down - 1)
        found = np.floor(np.ldexp(sums, down - PLACES))
        found[~possible] = 0
        return found.astype(np.int32), possible


def _costs(residual: Array, index: Array, table: CostTable) -> Array:
    """Return the cost of each place, (places,) int64."""
    last = len(table.bits) - 1
    rows = np.clip(index + (1 << FRACTION - 1) >> FRACTION, 0, last)
    _, upper, lower = table.both(residual, rows)
    found: Array = np.minimum(upper, lower).sum(1, dtype=np.int64)
    return found


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few residuals."""
    grid = np.arange(2 * 18 * 18, dtype=np.int64)
    matrices = (grid * 7919 % 4999 - 2499).astype(np.int16).reshape(2, 18, 18)
    bias = (np.arange(36) * 37 % 1000 - 500).reshape(2, 18)
    table = CostTable(np.arange(5 * 256).reshape(5, 256) % 97 / 7, 8.66)
    numbers = scattered(6 * 18)
    residual = (numbers.reshape(6, 18) >> np.array([[22], [14], [19], [9], [1], [0]])).astype("i4")
    index = (numbers.reshape(6, 18) >> 20).astype(np.int32)
    which = np.array([2, 1, 0, 1, 2, 1], np.int8)
    choice = np.arange(9, dtype=np.int32).reshape(3, 3) * 700 % 900
    transforms = ForwardTransforms(matrices, bias)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            best, saved = transforms.cheapest(residual, index, which, choice, table)
            found.append((best, np.array(saved), transforms(residual.copy(), which)))
    return all(np.array_equal(*pair) for pair in zip(*found, strict=True))
