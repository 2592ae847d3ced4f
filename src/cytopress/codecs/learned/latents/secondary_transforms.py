"""Secondary transforms: orthonormal matrices of a block's latents; an encoder picks the cheapest.

The latents that one pass codes at one spatial position (a place) may be transformed once more
before they are rounded, by one of a few matrices, or by none: for blocks whose detail is of another
size than that of most. The choice is coded, with tables that depend on the activity predicted for
the place. The decoder inverts the transform in integers, so that what is predicted from the latents
is the same on every machine.

Secondary transforms of a transform's output are known from video, such as H.266's. Sezer, Guleryuz
and Altunbasak, "Approximation and compression with sparse orthonormal transforms", IEEE
Transactions on Image Processing 24, 2015, choose a whole transform by block in the same way.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.coders import Decoder, Encoder
from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.latents.hyper_synthesis import FRACTION, scale_rows
from cytopress.codecs.learned.latents.rate_distortion import costs
from cytopress.errors import CorruptDataError, PackageError

Array = npt.NDArray[Any]
# The latents of a place that are transformed together: a context model's first channels, the rest.
PARTS = "first", "rest"
# Bits of fraction of the matrices.
SHIFT = 14
# Activity of a place: by how much its scale indices exceed ACTIVE_FROM, summed. Its octaves above
# QUIET are the classes; below, residuals are predicted to be small and nothing is transformed.
ACTIVE_FROM, QUIET, CLASSES = 9, 1, 9
# Places that an encoder compares at once.
CHUNK = 2**11
# Residuals beyond this are not transformed: 14 bits would not bring them back to within a step.
MOST_RESIDUAL = 2**11
# Sum of sizes in a row or column of a matrix: orthonormal ones have less, and sums stay exact.
MOST_SUM = 2**22


@dataclass(frozen=True, eq=False)
class SecondaryTransforms:
    """The transforms of the C latents of one place.

    Parameters
    ----------
    matrices : ndarray
        (count, C, C) integers with ``SHIFT`` bits of fraction; matrix times latents is the forward
        transform.
    bias : ndarray
        (count, C) integers that each transform adds to the scale indices.
    choices : ProbabilityTables
        Of 0, no transform, and the transforms from 1: a row for each class of activity. The last
        row is of whether any place of the pass is transformed.

    Raises
    ------
    PackageError
        The shapes do not fit, or sums could be inexact.
    """

    matrices: Array
    bias: Array
    choices: ProbabilityTables

    def __post_init__(self) -> None:
        count, channels = self.bias.shape
        if self.matrices.shape != (count, channels, channels):
            raise PackageError(
                f"Secondary transforms of shape {self.matrices.shape} do not fit {channels}"
                " latents."
            )
        size = np.abs(self.matrices.astype(np.int64))
        if size.max() > 2**SHIFT or max(size.sum(1).max(), size.sum(2).max()) > MOST_SUM:
            raise PackageError(
                "A secondary transform has an entry above 1, or too many that are large."
            )
        sizes = [count + 2] * CLASSES + [3]
        if self.choices.size.tolist() != sizes or self.choices.offset.any():
            raise PackageError(
                "The probability tables of secondary transforms are not one for each class of"
                " activity."
            )

    @functools.cached_property
    def choice_costs(self) -> Array:
        """(CLASSES, 1 + count) int32: bits of each choice, with ``FRACTION`` bits of fraction."""
        bits = self.choices.bits[:CLASSES, : 1 + len(self.matrices)]
        costs: Array = np.rint(bits * 2.0**FRACTION).astype(np.int32)
        return costs

    def activity(self, index: Array) -> Array:
        """Return the class of activity of each place, (places,) int8; -1 for none.

        ``index`` is (C, places): scale indices with a fraction.
        """
        total = np.zeros(index.shape[1:], np.int64)
        for row in index:
            total += np.maximum(row - (ACTIVE_FROM << FRACTION), 0)
        # An exponent is the number of bits: exact, unlike a logarithm.
        octave = np.frexp(total.astype(np.float64))[1] - 1 - FRACTION
        classes: Array = np.clip(octave - QUIET, -1, CLASSES - 1).astype(np.int8)
        return classes

    def forward(self, residual: Array, which: Array) -> None:
        """Transform residuals, (C, places) float32, in place."""
        for number, places in self._places(which):
            residual[:, places] = self._float(number) @ residual[:, places]

    def inverse(self, symbols: Array, which: Array) -> Array:
        """Return the residuals of symbols, (C, places): float32, ``FRACTION`` bits of fraction.

        No symbol is above 2 ** 30, so that sums are exact in float64, in whatever order.
        """
        out: Array = symbols.astype(np.float32)
        for number, places in self._places(which):
            matrix = self.matrices[number].T.astype(np.float64)
            for start in range(0, len(places), CHUNK):
                part = places[start : start + CHUNK]
                exact = matrix @ symbols[:, part].astype(np.float64)
                out[:, part] = np.rint(exact * 2.0 ** (FRACTION - SHIFT)) * 2.0**-FRACTION
        return out

    def add_bias(self, index: Array, which: Array) -> None:
        """Add the transforms' biases to scale indices, (C, places), in place."""
        for number, places in self._places(which):
            index[:, places] += self.bias[number, :, None].astype(index.dtype)

    def choose(
        self,
        residual: Array,
        index: Array,
        classes: Array,
        scales: ProbabilityTables,
        weight: float,
    ) -> Array:
        """Return the cheapest transform of each place, (places,) int8; 0 for none.

        All are 0 if transforms save nothing in total; so are those of places with large residuals.

        Parameters
        ----------
        residual, index : ndarray
            (C, places): float32, and their scale indices with a fraction.
        classes : ndarray
            (places,) their `activity`.
        scales : ProbabilityTables
            Tables by scale index.
        weight : float
            Rate-distortion trade-off: bits per unit of squared error, in quantization steps.
        """
        which = np.zeros(classes.shape, np.int8)
        open_ = np.flatnonzero(classes >= 0)
        saved = 0.0
        for start in range(0, len(open_), CHUNK):
            part = open_[start : start + CHUNK]
            plain, at = residual[:, part], index[:, part]
            total = np.empty((1 + len(self.matrices), len(part)), np.float32)
            rows = scale_rows(at, scales).reshape(at.shape)
            total[0] = costs(plain, rows, scales, weight).sum(0)
            for number in range(len(self.matrices)):
                rows = scale_rows(at + self.bias[number, :, None], scales).reshape(at.shape)
                transformed = self._float(number) @ plain
                total[number + 1] = costs(transformed, rows, scales, weight).sum(0)
            total[1:, np.abs(plain).max(0) > MOST_RESIDUAL] = np.inf
            alone = total[0].copy()
            total += self.choices.bits[classes[part], : len(total)].T
            which[part] = total.argmin(0)
            saved += float((alone - total.min(0)).sum(dtype=np.float64))
        if saved <= 0:
            which[:] = 0
        return which

    def encode(self, encoder: Encoder, which: Array, classes: Array) -> None:
        """Encode the transform of each place, (places,), given its class of activity."""
        used = int(which.any())
        encoder.encode(np.array([used], np.int32), np.array([CLASSES], np.uint8), self.choices)
        if used:
            coded = classes >= 0
            rows = classes[coded].astype(np.uint8)
            encoder.encode(which[coded].astype(np.int32), rows, self.choices)

    def decode(self, decoder: Decoder, classes: Array) -> Array:
        """Return what `encode` was given.

        Raises
        ------
        CorruptDataError
            The stream names a transform that does not exist.
        """
        which = np.zeros(classes.shape, np.int8)
        (used,) = decoder.decode(np.array([CLASSES], np.uint8), self.choices)
        coded = classes >= 0
        values = which[:0]
        if used == 1:
            values = decoder.decode(classes[coded].astype(np.uint8), self.choices)
        most = len(self.matrices)
        if not 0 <= used <= 1 or (values.size and not 0 <= values.min() <= values.max() <= most):
            raise CorruptDataError("A block names a secondary transform that does not exist.")
        if used:
            which[coded] = values
        return which

    def _places(self, which: Array) -> Iterator[tuple[int, Array]]:
        """Yield each transform, from 0, with the places that take it."""
        for number in range(len(self.matrices)):
            found = np.flatnonzero(which == number + 1)
            if found.size:
                yield number, found

    def _float(self, number: int) -> Array:
        matrix: Array = (self.matrices[number] * 2.0**-SHIFT).astype(np.float32)
        return matrix


@dataclass(frozen=True, eq=False)
class ChosenTransforms:
    """The secondary transforms of one pass.

    Parameters
    ----------
    transforms : SecondaryTransforms
        The transforms that there are.
    which : ndarray
        (places,) the transform of each place from 1; 0 for none.
    """

    transforms: SecondaryTransforms
    which: Array

    def forward(self, residual: Array) -> None:
        """Transform residuals, (C, h, w) float32, in place."""
        self.transforms.forward(residual.reshape(len(residual), -1), self.which)

    def inverse(self, symbols: Array) -> Array:
        """Return the residuals of symbols, (C, h, w), float32."""
        flat = symbols.reshape(len(symbols), -1)
        return self.transforms.inverse(flat, self.which).reshape(symbols.shape)
