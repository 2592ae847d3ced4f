"""Expectation: bytes and error of an image at every setting, before any of them is coded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from cytopress.image import Image

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Expectation:
    """What settings are expected to give, from the coarsest to the finest.

    Parameters
    ----------
    positions : ndarray
        Of the quality parameter's range, from 0 to 1.
    sizes : ndarray
        Bytes of the stream; they grow.
    errors : ndarray
        Mean square errors, in counts squared; they fall.
    out_of_band : tuple of float
        Energy that a half of the resolution loses, and a quarter, in counts squared.
    """

    positions: Array
    sizes: Array
    errors: Array
    out_of_band: tuple[float, ...]

    def at(self, position: float) -> tuple[float, float]:
        """Return the logarithms of bytes and of the mean square error at a position."""
        size, error = (
            float(np.interp(position, self.positions, np.log(each)))
            for each in (self.sizes, self.errors)
        )
        return size, error


@runtime_checkable
class Expects(Protocol):
    """A codec that knows what its settings give, more cheaply than by coding."""

    def expected(self, image: Image) -> Expectation | None:
        """Return what an image takes at each setting; None where this is not known."""
