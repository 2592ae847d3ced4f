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
from cytopress.codecs.learned.exact.numbers import MOST_LATENT, MOST_SYMBOL, STEP_BITS, shifted
from cytopress.codecs.learned.latents.rate_distortion import BITS_PER_SQUARE
from cytopress.codecs.learned.latents.secondary_transforms import SecondaryTransforms
from cytopress.errors import CorruptDataError
from cytopress.kernels.block_matrices import BlockMatrices
from cytopress.kernels.rate_distortion import CostTable, ForwardTransforms

Array = npt.NDArray[Any]
# Selects the latents of a pass out of all latents, (h, w, M).
Select = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Transforms:
    """Secondary transforms of a part of the channels, and their inverses, in integers."""

    transforms: SecondaryTransforms
    forward: ForwardTransforms
    inverse: BlockMatrices


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
    transforms : Transforms, optional
        The secondary transforms to choose from.
    """

    select: Select
    mean: Array
    index: Array
    transforms: Transforms | None = None


class SymbolCoder(Protocol):
    """One direction of coding."""

    def choose(self, of: Pass, scales: ProbabilityTables) -> Array:
        """Code and return the secondary transform of each place of a pass, (places,) int8."""

    def code(self, of: Pass, which: Array, rows: Array, tables: ProbabilityTables) -> Array:
        """Code and return the symbols of a pass, (n,) int32, by their ``rows`` of ``tables``."""


@dataclass(frozen=True, eq=False)
class Quantization:
    """Costs by which an encoder chooses.

    Parameters
    ----------
    transforms : CostTable
        Of secondary transforms.
    symbols : CostTable, optional
        Of symbols; each is the nearest integer unless given.
    """

    transforms: CostTable
    symbols: CostTable | None = None

    @classmethod
    def of(cls, scales: ProbabilityTables, weight: float) -> Quantization:
        """Return that of the tables of residuals, and of a rate-distortion trade-off.

        ``weight`` is bits per unit of squared error, in quantization steps; 0 rounds to the nearest
        integer.
        """
        table = CostTable(scales.bits_by_size, weight or BITS_PER_SQUARE)
        return cls(table, table if weight else None)


class SymbolEncoder:
    """Rounds latents to symbols and writes them.

    Parameters
    ----------
    encoder : RansEncoder
        Where the symbols go.
    values : ndarray
        (h, w, M) int32 latents in quantization steps, with a fraction.
    quantization : Quantization, optional
        Costs of latents; hyper-latents have none, and go to the nearest integer.
    """

    def __init__(
        self, encoder: RansEncoder, values: Array, quantization: Quantization | None = None
    ) -> None:
        self._encoder, self._values, self._quantization = encoder, values, quantization
        self._pass: tuple[Pass, Array] | None = None

    def choose(self, of: Pass, scales: ProbabilityTables) -> Array:  # noqa: ARG002
        """Encode and return the transforms with the least rate-distortion cost."""
        assert of.transforms is not None and self._quantization is not None
        transforms, table = of.transforms.transforms, self._quantization.transforms
        classes = transforms.activity(of.index.T)
        which, saved = of.transforms.forward.cheapest(
            self._residual(of), of.index, classes, transforms.choice_costs, table
        )
        if saved <= 0:
            which[:] = 0
        transforms.encode(self._encoder, which, classes)
        return which

    def code(self, of: Pass, which: Array, rows: Array, tables: ProbabilityTables) -> Array:
        """Encode the symbols of one pass and return them."""
        residual = self._residual(of)
        if of.transforms is not None and which.any():
            residual = of.transforms.forward(residual, which)
        flat, table = residual.reshape(-1), self._quantization and self._quantization.symbols
        symbols = shifted(flat, STEP_BITS) if table is None else table.quantized(flat, rows)
        np.clip(symbols, -MOST_SYMBOL, MOST_SYMBOL, out=symbols)
        self._encoder.encode(symbols, rows, tables)
        return symbols

    def _residual(self, of: Pass) -> Array:
        """Return what a pass codes, (places, C) int32; it is kept until the next pass."""
        if self._pass is None or self._pass[0] is not of:
            mean = np.clip(of.mean, -MOST_LATENT, MOST_LATENT)
            residual = np.subtract(of.select(self._values), mean, out=mean)
            self._pass = of, residual.reshape(-1, mean.shape[-1])
        return self._pass[1]


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
        transforms = of.transforms.transforms
        return transforms.decode(self.decoder, transforms.activity(of.index.T))

    def code(self, of: Pass, which: Array, rows: Array, tables: ProbabilityTables) -> Array:  # noqa: ARG002
        """Return the decoded symbols of one pass."""
        symbols = self.decoder.decode(rows, tables)
        if symbols.size and max(-int(symbols.min()), int(symbols.max())) > MOST_SYMBOL:
            raise CorruptDataError("A latent is farther from 0 than any can be.")
        return symbols
