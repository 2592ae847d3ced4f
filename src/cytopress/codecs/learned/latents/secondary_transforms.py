"""Rotations of a block's latents, of which an encoder takes the cheapest, or none.

The latents that one pass codes at one place may be turned first, by one of a few orthonormal
matrices: a secondary transform, for blocks whose detail is of another size than that of most. The
decoder is told which, by tables that go by how much is to be expected at the place, and turns the
symbols back with integers, so that what is predicted from them is the same everywhere.

Sezer, Guleryuz and Altunbasak, "Approximation and compression with sparse orthonormal transforms",
IEEE Transactions on Image Processing 24, 2015, choose a whole transform so; secondary ones of a
transform's output are known from video, such as those of H.266.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.range_coder import RangeDecoder, RangeEncoder
from cytopress.codecs.learned.latents.hyper_synthesis import FRACTION
from cytopress.codecs.learned.latents.rate_distortion import costs
from cytopress.errors import CorruptDataError, PackageError

Array = npt.NDArray[Any]
# Which latents of a place are turned together: the first channels of a context model, the others.
PARTS = "first", "rest"
# Bits of fraction of the matrices.
SHIFT = 14
# What scale indices have above this one is activity. The octaves of their sum are its classes; the
# lowest ones have none, since nothing is to be expected there, and nothing turned.
FROM, QUIET, CLASSES = 9, 1, 9
# Places an encoder looks at together.
CHUNK = 2**11
# What lies farther out is not turned: 14 bits would not bring it back to within a step.
MOST_TURNED = 2**11
# Of the entries of a row or column of a matrix: orthonormal ones have less, and sums stay exact.
MOST_SUM = 2**22


@dataclass(frozen=True, eq=False)
class SecondaryTransforms:
    """The matrices of the latents of one place, (count, C, C), and what belongs to them.

    Parameters
    ----------
    matrices : ndarray
        Integers with ``SHIFT`` bits of fraction; turned is matrix times latents.
    bias : ndarray
        (count, C) of integers that each adds to the scale indices.
    odds : Tables
        Of 0, none, and the rotations from 1, a row for each class of activity. The last row is of
        whether any place is turned.

    Raises
    ------
    PackageError
        They do not belong together.
    """

    matrices: Array
    bias: Array
    odds: ProbabilityTables

    def __post_init__(self) -> None:
        count, channels = self.bias.shape
        if self.matrices.shape != (count, channels, channels):
            raise PackageError(
                f"Rotations of {self.matrices.shape} cannot turn {channels} latents."
            )
        size = np.abs(self.matrices.astype(np.int64))
        if size.max() > 2**SHIFT or max(size.sum(1).max(), size.sum(2).max()) > MOST_SUM:
            raise PackageError("A rotation has an entry above 1, or too many that are large.")
        sizes = [count + 2] * CLASSES + [3]
        if self.odds.size.tolist() != sizes or self.odds.offset.any():
            raise PackageError("The tables of rotations are not one for each class of activity.")

    def kinds(self, index: Array) -> Array:
        """Return the class of each place, (places,) int8, -1 for none, by scale indices.

        These are (C, places) integers with a fraction.
        """
        total = np.zeros(index.shape[1:], np.int64)
        for row in index:
            total += np.maximum(row - (FROM << FRACTION), 0)
        # An exponent is the number of bits: exact, unlike a logarithm.
        octave = np.frexp(total.astype(np.float64))[1] - 1 - FRACTION
        kinds: Array = np.clip(octave - QUIET, -1, CLASSES - 1).astype(np.int8)
        return kinds

    def places(self, which: Array) -> Iterator[tuple[int, Array]]:
        """Yield each rotation, from 0, with the places where ``which``, (places,), names it."""
        for number in range(len(self.matrices)):
            found = np.flatnonzero(which == number + 1)
            if found.size:
                yield number, found

    def turn(self, residual: Array, which: Array) -> None:
        """Turn residuals, (C, places) float32, in place."""
        for number, found in self.places(which):
            matrix = self._float(number)
            residual[:, found] = matrix @ residual[:, found]

    def widen(self, index: Array, which: Array) -> None:
        """Add to scale indices, (C, places), in place, what belongs to the rotations."""
        for number, found in self.places(which):
            index[:, found] += self.bias[number, :, None].astype(index.dtype)

    def back(self, symbols: Array, which: Array) -> Array:
        """Return what symbols, (C, places), stand for, float32 with ``FRACTION`` bits of fraction.

        No symbol is above 2 ** 30, so that sums are exact in float64, in whatever order.
        """
        out: Array = symbols.astype(np.float32)
        for number, found in self.places(which):
            matrix = self.matrices[number].T.astype(np.float64)
            for start in range(0, len(found), CHUNK):
                part = found[start : start + CHUNK]
                exact = matrix @ symbols[:, part].astype(np.float64)
                out[:, part] = np.rint(exact * 2.0 ** (FRACTION - SHIFT)) * 2.0**-FRACTION
        return out

    def choose(
        self,
        residual: Array,
        index: Array,
        kinds: Array,
        rows_of: Callable[[Array], Array],
        tables: ProbabilityTables,
        weight: float,
    ) -> Array:
        """Return which rotation is cheapest at each place, (places,) int8, 0: none.

        All are 0 where they would not pay on the whole; so are those of latents far out.

        Parameters
        ----------
        residual, index : ndarray
            (C, places): float32, and their scale indices with a fraction.
        kinds : ndarray
            Their `kinds`.
        rows_of : callable
            Returns the tables of scale indices, flat.
        tables : Tables
            What symbols cost.
        weight : float
            Bits that a squared step is worth.
        """
        which = np.zeros(kinds.shape, np.int8)
        open_ = np.flatnonzero(kinds >= 0)
        saved = 0.0
        for start in range(0, len(open_), CHUNK):
            part = open_[start : start + CHUNK]
            seen, at = residual[:, part], index[:, part]
            total = np.empty((1 + len(self.matrices), len(part)), np.float32)
            total[0] = costs(seen, rows_of(at).reshape(at.shape), tables, weight).sum(0)
            for number in range(len(self.matrices)):
                rows = rows_of(at + self.bias[number, :, None]).reshape(at.shape)
                turned = self._float(number) @ seen
                total[number + 1] = costs(turned, rows, tables, weight).sum(0)
            total[1:, np.abs(seen).max(0) > MOST_TURNED] = np.inf
            alone = total[0].copy()
            total += self.odds.bits[kinds[part], : len(total)].T
            which[part] = total.argmin(0)
            saved += float((alone - total.min(0)).sum(dtype=np.float64))
        if saved <= 0:
            which[:] = 0
        return which

    def put(self, coder: RangeEncoder, which: Array, kinds: Array) -> None:
        """Code what `choose` returned."""
        turned = int(which.any())
        coder.put(np.array([turned], np.int32), np.array([CLASSES], np.uint8), self.odds)
        if turned:
            told = kinds >= 0
            coder.put(which[told].astype(np.int32), kinds[told].astype(np.uint8), self.odds)

    def take(self, coder: RangeDecoder, kinds: Array) -> Array:
        """Return what was `put` of places of these classes.

        Raises
        ------
        CorruptDataError
            There is no such rotation.
        """
        which = np.zeros(kinds.shape, np.int8)
        (turned,) = coder.take(np.array([CLASSES], np.uint8), self.odds)
        told = kinds >= 0
        values = coder.take(kinds[told].astype(np.uint8), self.odds) if turned == 1 else which[:0]
        most = len(self.matrices)
        if not 0 <= turned <= 1 or (values.size and not 0 <= values.min() <= values.max() <= most):
            raise CorruptDataError("A block of latents is turned by a rotation that there is not.")
        if turned:
            which[told] = values
        return which

    def _float(self, number: int) -> Array:
        matrix: Array = (self.matrices[number] * 2.0**-SHIFT).astype(np.float32)
        return matrix
