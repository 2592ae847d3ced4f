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
    """

    positions: Array
    sizes: Array
    errors: Array

    def size_at(self, error: float) -> float:
        """Return the bytes expected where the mean square error is this; infinite beyond."""
        if error < self.errors[-1]:
            return float("inf")
        logs = np.log(self.errors[::-1]), np.log(self.sizes[::-1])
        return float(np.exp(np.interp(np.log(error), *logs)))


@runtime_checkable
class Expects(Protocol):
    """A codec that knows what its settings give, more cheaply than by coding."""

    def expected(self, image: Image) -> Expectation | None:
        """Return what an image takes at each setting; None where this is not known."""
