"""Entropy coders, as what uses them sees them: the range coder or interleaved rANS."""

from __future__ import annotations

from typing import Any, Protocol

import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables

Array = npt.NDArray[Any]


class Encoder(Protocol):
    """Takes integers in order."""

    def encode(self, values: Array, rows: Array, tables: ProbabilityTables) -> None:
        """Append integers, (n,), by their rows, (n,) of uint8, of ``tables``."""


class Decoder(Protocol):
    """Gives them in the same order."""

    def decode(self, rows: Array, tables: ProbabilityTables) -> Array:
        """Return the integers, (n,) of int32, that were encoded with these rows, (n,)."""
