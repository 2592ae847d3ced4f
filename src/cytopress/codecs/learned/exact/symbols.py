"""Symbol coders of format 2: the latents of one pass into an entropy coder, or out of it again.

As in `latents.symbols`, with channels last and means in fixed point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.codecs.learned.exact.numbers import MOST_SYMBOL, STEP_BITS
from cytopress.codecs.learned.latents.rate_distortion import BITS_PER_SQUARE, rounded
from cytopress.codecs.learned.latents.secondary_transforms import SecondaryTransforms
from cytopress.errors import CorruptDataError

Array = npt.NDArray[Any]
# Selects the latents of a pass out of all latents, (h, w, M).
Select = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass: what is known of its latents before they are coded.

    Parameters
    ----------
    select : callable
        Selects its latents out of all latents.
    mean : ndarray
        (..., C) int32 predicted means, with a fraction.
    index : ndarray
        (places, C) int32 scale indices, with a fraction.
    transforms : SecondaryTransforms, optional
        The secondary transforms to choose from.
    """

    select: Select
    mean: Array
    index: Array
    transforms: SecondaryTransforms | None = None


class SymbolCoder(Protocol):
    """One direction of coding."""

    def choose(self, of: Pass, scales: ProbabilityTables) -> Array:
        """Code and return the secondary transform of each place of a pass, (places,) int8."""

    def code(self, of: Pass, which: Array, rows: Array, tables: ProbabilityTables) -> Array:
        """Code and return the symbols of a pass, (n,) int32, by their ``rows`` of ``tables``."""


@dataclass(frozen=True, eq=False)
class SymbolEncoder:
    """Rounds latents to symbols and writes them.

    Parameters
    ----------
    encoder : RansEncoder
        Where the symbols go.
    values : ndarray
        (h, w, M) float32 latents in quantization steps.
    weight : float, optional
        Rate-distortion trade-off of the rounding: bits per unit of squared error, in quantization
        steps; 0 rounds to the nearest integer.
    """

    encoder: RansEncoder
    values: Array
    weight: float = 0.0

    def choose(self, of: Pass, scales: ProbabilityTables) -> Array:
        """Encode and return the transforms with the least rate-distortion cost."""
        transforms = of.transforms
        assert transforms is not None
        index = np.ascontiguousarray(of.index.T)
        classes = transforms.activity(index)
        weight = self.weight or BITS_PER_SQUARE
        residual = np.ascontiguousarray(self._residual(of).T)
        which = transforms.choose(residual, index, classes, scales, weight)
        transforms.encode(self.encoder, which, classes)
        return which

    def code(self, of: Pass, which: Array, rows: Array, tables: ProbabilityTables) -> Array:
        """Encode the symbols of one pass and return them."""
        residual = self._residual(of)
        if of.transforms is not None and which.any():
            turned = np.ascontiguousarray(residual.T)
            of.transforms.forward(turned, which)
            residual = np.ascontiguousarray(turned.T)
        np.clip(residual, -MOST_SYMBOL, MOST_SYMBOL, out=residual)
        symbols = rounded(residual.reshape(-1), rows, tables, self.weight)
        self.encoder.encode(symbols, rows, tables)
        return symbols

    def _residual(self, of: Pass) -> Array:
        mean = of.mean.astype(np.float32)
        mean *= np.float32(2.0**-STEP_BITS)
        residual: Array = of.select(self.values) - mean
        return residual.reshape(-1, mean.shape[-1])


@dataclass(frozen=True, eq=False)
class SymbolDecoder:
    """Reads symbols.

    Parameters
    ----------
    decoder : RansDecoder
        Where the symbols come from.
    """

    decoder: RansDecoder

    def choose(self, of: Pass, scales: ProbabilityTables) -> Array:  # noqa: ARG002
        """Return the decoded transforms."""
        assert of.transforms is not None
        return of.transforms.decode(self.decoder, of.transforms.activity(of.index.T))

    def code(self, of: Pass, which: Array, rows: Array, tables: ProbabilityTables) -> Array:  # noqa: ARG002
        """Return the decoded symbols of one pass."""
        symbols = self.decoder.decode(rows, tables)
        if symbols.size and max(-int(symbols.min()), int(symbols.max())) > MOST_SYMBOL:
            raise CorruptDataError("A latent is farther from 0 than any can be.")
        return symbols
