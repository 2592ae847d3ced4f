"""Gain units in integers: multipliers of decoded latents at any quality, by exact powers of two."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.exact.numbers import ACTIVATION_BITS, LATENT_BITS, STEP_BITS, shifted
from cytopress.codecs.learned.latents.gain_units import SHARE, Gains, GainSetting
from cytopress.errors import PackageError
from cytopress.kernels.places import dequantized
from cytopress.kernels.plane_synthesis import Scaling

Array = npt.NDArray[Any]
# Fractional bits of log2 of an inverse gain, and of the powers of two that are multiplied.
LOG_BITS, ROOT_BITS = 16, 62
# Largest log2 of an inverse gain, either way.
MOST_LOG = 24
MULTIPLIER_BITS = 31


@dataclass(frozen=True, eq=False)
class Dequantization:
    """Multiplication of latents in steps by the inverse gains of one quality.

    Parameters
    ----------
    multiplier : ndarray
        (M,) of integers from 0 to 2 ** 31 - 1.
    shift : int
        Bits that are rounded off.
    """

    multiplier: Array
    shift: int

    def __call__(self, latents: Array) -> tuple[Array, Array]:
        """Return latents in used ranges, of (h, w, M) int32 in steps.

        Those of ``LATENT_BITS`` bits of fraction, int32, and of ``ACTIVATION_BITS``, int16.
        """
        scaling = self.scaling
        return dequantized(latents, scaling.multiplier, scaling.shift, scaling.narrow_shift)

    @property
    def scaling(self) -> Scaling:
        """The same as a plane's synthesis takes it."""
        return Scaling(self.multiplier, self.shift, LATENT_BITS - ACTIVATION_BITS)


@dataclass(frozen=True, eq=False)
class ExactGains:
    """Gains whose inverses are integers.

    Parameters
    ----------
    gains : Gains
        The encoder's factors, the biases of the scales, and the background.
    inverse : ndarray
        (nodes, M) of integers: log2 of the inverse gains, with ``LOG_BITS`` bits of fraction.

    Raises
    ------
    PackageError
        An inverse gain is larger or smaller than any can be.
    """

    gains: Gains
    inverse: Array

    def __post_init__(self) -> None:
        if np.abs(self.inverse.astype(np.int64)).max() > MOST_LOG << LOG_BITS:
            raise PackageError(f"An inverse gain is beyond 2 ** {MOST_LOG}, either way.")

    @property
    def positions(self) -> Array:
        """Qualities of the nodes, and of the middles between them."""
        return np.linspace(0, 1, 2 * len(self.inverse) - 1)

    def at(self, quality: float) -> tuple[GainSetting, Dequantization]:
        """Return the setting at a quality from 0 to 1, and its multipliers; computed once."""
        return _at(self, quality)


@functools.lru_cache(maxsize=64)
def _at(gains: ExactGains, quality: float) -> tuple[GainSetting, Dequantization]:
    last = len(gains.inverse) - 1
    place = round(quality * last * 2**SHARE)
    left = min(place >> SHARE, max(last - 1, 0))
    right, share = min(left + 1, last), place - (left << SHARE)
    logs = gains.inverse.astype(np.int64)
    log = shifted(logs[left] * (2**SHARE - share) + logs[right] * share, SHARE)
    # The next power of two above every factor.
    above = int(log.max() >> LOG_BITS) + 1
    scale = MULTIPLIER_BITS - above
    multiplier = np.array([power_of_two(int(each), scale) for each in log], np.int64)
    # No factor reaches the next power of two, but rounding may.
    multiplier = np.minimum(multiplier, 2**MULTIPLIER_BITS - 1)
    shift = scale + STEP_BITS - LATENT_BITS
    return gains.gains.at(quality), Dequantization(multiplier, shift)


def power_of_two(log: int, scale: int) -> int:
    """Return 2 ** (log / 2 ** LOG_BITS + scale), rounded; the same integer on every machine."""
    whole, fraction = log >> LOG_BITS, log & (1 << LOG_BITS) - 1
    power = 1 << ROOT_BITS
    for bit, root in enumerate(ROOTS, 1):
        if fraction >> LOG_BITS - bit & 1:
            power = power * root >> ROOT_BITS
    down = ROOT_BITS - whole - scale
    return power + (1 << down >> 1) >> down if down > 0 else power << -down


def _roots() -> list[int]:
    """Return 2 ** (1/2), 2 ** (1/4), ... with ``ROOT_BITS`` bits of fraction."""
    found, power = [], 2 << ROOT_BITS
    for _ in range(LOG_BITS):
        power = math.isqrt(power << ROOT_BITS)
        found.append(power)
    return found


ROOTS = _roots()
