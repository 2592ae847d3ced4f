"""Cosines of a wave from adaptive binary coding by native code, as `layer_stream` codes them."""

from __future__ import annotations

import functools

import numpy as np

from cytopress.codecs.periodic_noise.binary_coder import (
    EVEN,
    LONGER,
    MOST_BITS,
    TRUST,
    BinaryDecoder,
    too_early,
    too_long,
)
from cytopress.codecs.periodic_noise.layer import Integers
from cytopress.kernels import extension

# Errors of native code.
EARLY, TOO_LONG = 10, 11


class CosineDecoder:
    """Decodes cosines of the waves of one layer, one wave after the other.

    Parameters
    ----------
    priors : tuple of tuple of int
        By what is around a magnitude: the probabilities that it is above 0, 1, 2 and more.
    """

    def __init__(self, priors: tuple[tuple[int, ...], ...]) -> None:
        self._states = _initial(priors).copy()

    def __call__(self, coder: BinaryDecoder, count: int, *, real: bool) -> Integers:
        """Return the cosines of a wave, (count, 2).

        Raises
        ------
        CorruptDataError
            The stream holds none.
        """
        at, found = np.array(coder.at, np.int64), np.zeros((count, 2), np.int64)
        call = extension.loaded().binary_cosines
        error = call(coder.stream, at, self._states, found, int(real))
        if error:
            raise too_long() if error == TOO_LONG else too_early()
        coder.at = (int(at[0]), int(at[1]), int(at[2]))
        return found


@functools.cache
def _initial(priors: tuple[tuple[int, ...], ...]) -> Integers:
    """Return the contexts before any decision: probability of a one, and decisions it counts as."""
    ones = np.array([*np.ravel(priors), *[LONGER] * (len(priors) * (MOST_BITS + 2))], np.int32)
    return np.stack([ones, np.where(ones == EVEN, 0, TRUST).astype(np.int32)], axis=1)
