"""Symbol coders of format 2: the latents of one pass into an entropy coder, or out of it again.

As in `latents.symbols`, with channels last and means in fixed point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.codecs.learned.exact.numbers import MOST_SYMBOL, STEP_BITS, shifted
from cytopress.codecs.learned.latents.rate_distortion import BITS_PER_SQUARE
from cytopress.codecs.learned.latents.secondary_transforms import SecondaryTransforms
from cytopress.kernels.block_matrices import BlockMatrices
from cytopress.kernels.forward_transforms import ForwardTransforms
from cytopress.kernels.places import Places, gathered
from cytopress.kernels.rate_distortion import CostTable

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Transforms:
    """Secondary transforms of a part of the channels, and their inverses, in integers."""

    transforms: SecondaryTransforms
    forward: ForwardTransforms
    inverse: BlockMatrices

    def of(self, one: Pass) -> Pass:
        """Return a pass that chooses among them: each adds to the scale indices."""
        bias = np.concatenate([one.bias, one.bias + self.transforms.bias.astype(np.int32)])
        return replace(one, bias=bias, transforms=self)


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass: what is known of its latents before they are coded.

    Parameters
    ----------
    channels : slice
        Which of the latents it codes.
    places : ndarray, optional
        Where, (n,) int32; all places unless given.
    means : tuple of ndarray
        (h, w, C) int32 each, with a fraction: predicted means are their sum. Residuals are added
        to the last one.
    indices : ndarray
        (h, w, C) int32 scale indices, with a fraction; for `SymbolCoder.choose` alone.
    bias : ndarray
        (1 + transforms, C) int32 that is added to them: without a transform, and with each.
    transforms : Transforms, optional
        The secondary transforms to choose from.
    """

    channels: slice
    places: Places
    means: tuple[Array, ...]
    indices: Array
    bias: Array
    transforms: Transforms | None = None

    @property
    def mean(self) -> Array:
        """Predicted means, (n, C) int32."""
        first, *others = (gathered(each, self.places) for each in self.means)
        return sum(others, first)

    @property
    def index(self) -> Array:
        """Scale indices without a transform, (n, C) int32."""
        found: Array = gathered(self.indices, self.places) + self.bias[0]
        return found

    def select(self, values: Array) -> Array:
        """Return its values, (n, C), of those of all latents, (h, w, M)."""
        return gathered(values[..., self.channels], self.places)


class SymbolCoder(Protocol):
    """One direction of coding."""

    def choose(self, of: Pass, classes: Array, scales: ProbabilityTables) -> Array:
        """Code and return the secondary transform of each place of a pass, (n,) int8.

        ``classes`` are the places' `activity`.
        """

    def code(self, of: Pass, which: Array | None, rows: Array, tables: ProbabilityTables) -> Array:
        """Code and return the symbols of a pass, (n * C,) int32, by their ``rows`` of ``tables``.

        ``which`` is what `choose` returned; None without transforms.
        """


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
        self._held: tuple[Pass, Array] | None = None

    def choose(self, of: Pass, classes: Array, scales: ProbabilityTables) -> Array:  # noqa: ARG002
        """Encode and return the transforms with the least rate-distortion cost."""
        assert of.transforms is not None
        assert self._quantization is not None
        transforms, table = of.transforms.transforms, self._quantization.transforms
        which, saved = of.transforms.forward.cheapest(
            self._residual(of), of.index, classes, transforms.choice_costs, table
        )
        if saved <= 0:
            which[:] = 0
        transforms.encode(self._encoder, which, classes)
        return which

    def code(self, of: Pass, which: Array | None, rows: Array, tables: ProbabilityTables) -> Array:
        """Encode the symbols of one pass and return them."""
        residual = self._residual(of)
        if of.transforms is not None and which is not None and which.any():
            residual = of.transforms.forward(residual, which)
        flat = residual.reshape(-1)
        table = None if self._quantization is None else self._quantization.symbols
        if table is None:
            symbols = np.clip(shifted(flat, STEP_BITS), -MOST_SYMBOL, MOST_SYMBOL)
        else:
            symbols = table.quantized(flat, rows)
        self._encoder.encode(symbols, rows, tables)
        return symbols

    def _residual(self, of: Pass) -> Array:
        """Return what a pass codes, (places, C) int32; it is kept until the next pass."""
        held = self._held
        # The pass as it was chosen for has scale indices, which the same pass lacks later.
        if held is None or held[0].means is not of.means or held[0].places is not of.places:
            # Latents are below 2 ** 30, and so are all means but those of an absurd package.
            held = self._held = (
                replace(of, indices=of.means[0][:0]),
                of.select(self._values) - of.mean,
            )
        return held[1]


@dataclass(frozen=True, eq=False)
class SymbolDecoder:
    """Reads symbols.

    Parameters
    ----------
    decoder : RansDecoder
        Where the symbols come from. It refuses those that are farther from 0 than any can be.
    """

    decoder: RansDecoder

    def choose(self, of: Pass, classes: Array, scales: ProbabilityTables) -> Array:  # noqa: ARG002
        """Return the decoded transforms."""
        assert of.transforms is not None
        return of.transforms.transforms.decode(self.decoder, classes)

    def code(
        self,
        of: Pass,  # noqa: ARG002
        which: Array | None,  # noqa: ARG002
        rows: Array,
        tables: ProbabilityTables,
    ) -> Array:
        """Return the decoded symbols of one pass."""
        return self.decoder.decode(rows, tables)
