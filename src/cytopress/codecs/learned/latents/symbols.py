"""Symbol coders: the latents of one pass into a range coder, or out of it again.

`LatentCoder` goes through its passes in the same order when encoding and when decoding; only the
symbol coder that it is given differs. A *position* is a spatial one, and holds C latents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.range_coder import MOST_VALUE, RangeDecoder, RangeEncoder
from cytopress.codecs.learned.latents.rate_distortion import BITS_PER_SQUARE, rounded
from cytopress.codecs.learned.latents.secondary_transforms import (
    ChosenTransforms,
    SecondaryTransforms,
)

Array = npt.NDArray[Any]
# Selects the latents of a pass out of all latents, (M, h, w).
Select = Callable[[Array], Array]


def select_all(latents: Array) -> Array:
    """Select all latents."""
    return latents


def select_at(mask: Array) -> Select:
    """Return the selection of the spatial positions of ``mask``, (h, w) of bool."""

    def select(latents: Array) -> Array:
        return latents[:, mask]

    return select


class SymbolCoder(Protocol):
    """One direction of coding."""

    def code(
        self,
        select: Select,
        mean: Array | None,
        rows: Array,
        tables: ProbabilityTables,
        chosen: ChosenTransforms | None = None,
    ) -> Array:
        """Return the symbols of one pass, (n,) integers: residuals in whole quantization steps.

        Parameters
        ----------
        select : callable
            Selects the latents of this pass out of all latents.
        mean : ndarray, optional
            Their predicted means, of the selected shape, float32; None for 0.
        rows : ndarray
            (n,) rows of ``tables``, one for each symbol.
        tables : ProbabilityTables
            Probabilities of the symbols.
        chosen : ChosenTransforms, optional
            Secondary transforms, applied to the residuals before they are rounded.
        """

    def choose(
        self,
        select: Select,
        mean: Array,
        index: Array,
        transforms: SecondaryTransforms,
        scales: ProbabilityTables,
    ) -> Array:
        """Return the secondary transform of each position of a pass, (positions,); 0 for none.

        Parameters
        ----------
        select, mean
            As in `code`.
        index : ndarray
            (C, positions) fixed-point scale indices: the predicted spread of the residuals.
        transforms : SecondaryTransforms
            The transforms to choose from.
        scales : ProbabilityTables
            Tables by scale index.
        """


@dataclass(frozen=True, eq=False)
class SymbolEncoder:
    """Rounds latents to symbols and writes them.

    Parameters
    ----------
    encoder : RangeEncoder
        Where the symbols go.
    values : ndarray
        (M, h, w) float32 latents in quantization steps.
    weight : float, optional
        Rate-distortion trade-off of the rounding: bits per unit of squared error, in quantization
        steps; 0 rounds to the nearest integer.
    """

    encoder: RangeEncoder
    values: Array
    weight: float = 0.0

    def code(
        self,
        select: Select,
        mean: Array | None,
        rows: Array,
        tables: ProbabilityTables,
        chosen: ChosenTransforms | None = None,
    ) -> Array:
        """Encode the symbols of one pass and return them."""
        residual = self._residual(select, mean)
        if chosen is not None:
            chosen.forward(residual)
        symbols = rounded(residual.reshape(-1), rows, tables, self.weight)
        self.encoder.encode(symbols, rows, tables)
        return symbols

    def choose(
        self,
        select: Select,
        mean: Array,
        index: Array,
        transforms: SecondaryTransforms,
        scales: ProbabilityTables,
    ) -> Array:
        """Encode and return the transforms with the least rate-distortion cost."""
        classes = transforms.activity(index)
        residual = self._residual(select, mean).reshape(index.shape)
        weight = self.weight or BITS_PER_SQUARE
        which = transforms.choose(residual, index, classes, scales, weight)
        transforms.encode(self.encoder, which, classes)
        return which

    def _residual(self, select: Select, mean: Array | None) -> Array:
        selected = select(self.values)
        residual: Array = selected.copy() if mean is None else selected - mean
        np.clip(residual, -MOST_VALUE, MOST_VALUE, out=residual)
        return residual


@dataclass(frozen=True, eq=False)
class SymbolDecoder:
    """Reads symbols.

    Parameters
    ----------
    decoder : RangeDecoder
        Where the symbols come from.
    """

    decoder: RangeDecoder

    def code(
        self,
        select: Select,  # noqa: ARG002
        mean: Array | None,  # noqa: ARG002
        rows: Array,
        tables: ProbabilityTables,
        chosen: ChosenTransforms | None = None,  # noqa: ARG002
    ) -> Array:
        """Return the decoded symbols of one pass."""
        return self.decoder.decode(rows, tables)

    def choose(
        self,
        select: Select,  # noqa: ARG002
        mean: Array,  # noqa: ARG002
        index: Array,
        transforms: SecondaryTransforms,
        scales: ProbabilityTables,  # noqa: ARG002
    ) -> Array:
        """Return the decoded transforms."""
        return transforms.decode(self.decoder, transforms.activity(index))
