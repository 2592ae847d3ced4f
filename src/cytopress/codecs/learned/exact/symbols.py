"""Symbol coders of format 2: the latents of one pass into an entropy coder, or out of it again.

As in `latents.symbols`, with channels last and means in fixed point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.codecs.learned.exact.numbers import MOST_SYMBOL, STEP_BITS
from cytopress.codecs.learned.latents.rate_distortion import BITS_PER_SQUARE, rounded
from cytopress.codecs.learned.latents.secondary_transforms import SecondaryTransforms
from cytopress.kernels.places import Places, gathered

Array = npt.NDArray[Any]


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
        (h, w, C) int32 scale indices, with a fraction.
    bias : ndarray
        (1 + transforms, C) int32 that is added to them: without a transform, and with each.
    transforms : SecondaryTransforms, optional
        The secondary transforms to choose from.
    """

    channels: slice
    places: Places
    means: tuple[Array, ...]
    indices: Array
    bias: Array
    transforms: SecondaryTransforms | None = None

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
        return gathered(values, self.places)[:, self.channels]


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

    def choose(self, of: Pass, classes: Array, scales: ProbabilityTables) -> Array:
        """Encode and return the transforms with the least rate-distortion cost."""
        transforms = of.transforms
        assert transforms is not None
        index = np.ascontiguousarray(of.index.T)
        weight = self.weight or BITS_PER_SQUARE
        residual = np.ascontiguousarray(self._residual(of).T)
        which = transforms.choose(residual, index, classes, scales, weight)
        transforms.encode(self.encoder, which, classes)
        return which

    def code(self, of: Pass, which: Array | None, rows: Array, tables: ProbabilityTables) -> Array:
        """Encode the symbols of one pass and return them."""
        residual = self._residual(of)
        if of.transforms is not None and which is not None and which.any():
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
        return residual


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
        return of.transforms.decode(self.decoder, classes)

    def code(
        self,
        of: Pass,  # noqa: ARG002
        which: Array | None,  # noqa: ARG002
        rows: Array,
        tables: ProbabilityTables,
    ) -> Array:
        """Return the decoded symbols of one pass."""
        return self.decoder.decode(rows, tables)
