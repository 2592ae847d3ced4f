"""Matrices of blocks in integers: the secondary transform of each place, exact on every path."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.errors import PackageError
from cytopress.kernels import extension, paths
from cytopress.kernels.convolution import BLOCK, MOST_SUM
from cytopress.kernels.known_answer import scattered
from cytopress.kernels.places import gathered, scatter
from cytopress.kernels.threads import in_spans

Array = npt.NDArray[Any]
# Places of one matrix product of the numpy path.
CHUNK = 2048
# With the most fractional bits, 32 bits hold it.
MOST_PLAIN = 2**22
MOST_FRACTION = 8


@dataclass(frozen=True, eq=False)
class BlockMatrices:
    """A matrix for the C values of a place, chosen by place.

    Parameters
    ----------
    matrices : ndarray
        (count, C, C) int16; matrix times values is what is computed.
    precision : int
        Fractional bits of the matrices, 1 to 15.
    fraction : int
        Fractional bits of the output, from 0 to 8 and less than ``precision``.
    most : int, optional
        Values that a matrix multiplies are clipped to this, at most 2 ** 15 - 1.

    Raises
    ------
    PackageError
        The shapes do not fit, or a sum could leave 32 bits.
    """

    matrices: Array
    precision: int
    fraction: int
    most: int = 2**14

    def __post_init__(self) -> None:
        if self.matrices.ndim != 3 or self.matrices.shape[1] != self.matrices.shape[2]:
            raise PackageError(f"Matrices of shape {self.matrices.shape} are not square.")
        fits = 0 <= self.fraction < self.precision <= 15 and self.fraction <= MOST_FRACTION
        if len(self.matrices) > 2**7 - 1 or not fits:
            raise PackageError(
                f"There cannot be {len(self.matrices)} matrices with {self.precision} fractional"
                f" bits for an output with {self.fraction}."
            )
        if self.matrices.dtype != np.int16 or not 1 <= self.most < 2**15:
            raise PackageError(
                f"Matrices are int16, for values below 2 ** 15, not {self.matrices.dtype} and"
                f" {self.most}."
            )
        sizes = np.abs(self.matrices.astype(np.int64)).sum(-1)
        most = int(sizes.max(initial=0)) * self.most + (1 << self._shift >> 1)
        if most >= MOST_SUM:
            raise PackageError(
                f"A secondary transform has sums up to {most:.3g}, and 32 bits hold"
                f" {MOST_SUM:.3g}; export the model again."
            )

    def __call__(self, values: Array, which: Array) -> Array:
        """Return the products, (n, C) int32, of values, (n, C) int32, rounded.

        See `add`.
        """
        out: Array = np.zeros(values.shape, np.int32)
        self.add(values, which, out[None])
        return out

    def add(self, values: Array, which: Array, target: Array, places: Array | None = None) -> None:
        """Add the products of values, rounded, to places of ``target``, in place.

        Parameters
        ----------
        values : ndarray
            (n, C) int32, the C values of each place, without a fraction; clipped to ``most``
            where they are multiplied, and to 22 bits and a sign elsewhere.
        which : ndarray
            (n,) int8: the matrix of each place from 1; 0 for none.
        target : ndarray
            (h, w, C) int32, channels of a wider array perhaps.
        places : ndarray, optional
            (n,) int32 flat places of ``target``; all unless given.

        Raises
        ------
        ValueError
            The arrays have other shapes or types, or a matrix does not exist.
        """
        count, channels = self.matrices.shape[:2]
        where = target.shape[0] * target.shape[1] if places is None else len(places)
        fits = values.shape == (where, channels) and target.shape[2:] == (channels,)
        fits = fits and which.shape == (where,) and which.dtype == np.int8
        if not fits or values.dtype != np.int32 or target.dtype != np.int32:
            raise ValueError(
                f"Matrices for {channels} values cannot take {values.dtype} of shape"
                f" {values.shape} with {which.shape} choices to {target.shape}."
            )
        if which.size and not 0 <= int(which.min()) <= int(which.max()) <= count:
            raise ValueError(f"A place names a matrix that is not one of {count}.")
        if not values.size:
            return
        path = paths.current(_known_answer)
        if path == paths.NUMPY:
            in_spans(functools.partial(self._numpy, values, which, target, places), where)
            return
        values, which = np.ascontiguousarray(values), np.ascontiguousarray(which)
        call = extension.loaded().add_blocks
        form = (count, self._shift, self.fraction, self.most)

        def span(first: int, end: int) -> None:
            number = paths.NUMBERS[path]
            call(number, target, places, values, which, self._packed, form, (first, end))

        in_spans(span, where)

    @property
    def _shift(self) -> int:
        return self.precision - self.fraction

    @functools.cached_property
    def _packed(self) -> Array:
        return packed(self.matrices)

    def _numpy(
        self,
        values: Array,
        which: Array,
        target: Array,
        places: Array | None,
        first: int,
        end: int,
    ) -> None:
        for start in range(first, end, CHUNK):
            part = slice(start, min(start + CHUNK, end))
            plain = np.clip(values[part], -MOST_PLAIN, MOST_PLAIN)
            found = plain << self.fraction
            seen = np.clip(plain, -self.most, self.most).astype(np.float64)
            for number in np.flatnonzero(np.bincount(which[part])):
                if number:
                    matrix = self.matrices[number - 1].T.astype(np.float64)
                    at = np.flatnonzero(which[part] == number)
                    sums = seen[at] @ matrix + 2.0 ** (self._shift - 1)
                    found[at] = np.floor(sums * 2.0**-self._shift)
            found += gathered(target, places, part)
            scatter(target, found, places, part)


def packed(matrices: Array) -> Array:
    """Return (count, blocks, pairs, BLOCK, 2) int16: pairs of inputs for BLOCK outputs.

    ``matrices`` are (count, C, C).
    """
    count, channels = matrices.shape[:2]
    blocks, pairs = -(-channels // BLOCK), -(-channels // 2)
    padded = np.zeros((count, blocks * BLOCK, pairs * 2), np.int16)
    padded[:, :channels, :channels] = matrices
    split = padded.reshape(count, blocks, BLOCK, pairs, 2)
    return np.ascontiguousarray(split.transpose(0, 1, 3, 2, 4))


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few places."""
    grid = np.arange(2 * 18 * 18, dtype=np.int64)
    matrices = (grid * 7919 % 1499 - 749).astype(np.int16).reshape(2, 18, 18)
    values = scattered(5 * 18)
    values[18:36] >>= 20
    which = np.array([2, 1, 0, 1, 2], np.int8)
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            transforms = BlockMatrices(matrices, 13, 8)
            found.append(transforms(values.astype(np.int32).reshape(5, 18), which))
    return np.array_equal(found[0], found[1])
