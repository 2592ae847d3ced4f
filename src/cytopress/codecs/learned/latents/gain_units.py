"""Gain units: factors of the latents by which one model codes at every rate.

Cui et al., "Asymmetric gained deep image compression with continuous rate adaptation", CVPR 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.pixels.background import Background

Array = npt.NDArray[Any]
# Shares between two nodes are rounded to this many bits, so that integers can be interpolated.
SHARE = 16


@dataclass(frozen=True, eq=False)
class GainSetting:
    """The gains of one quality.

    Parameters
    ----------
    gain, inverse_gain : ndarray
        (M, 1, 1) float32 factors of the latents before rounding, and after decoding.
    scale_bias : ndarray
        (M, 1, 1) int32 that is added to the scale indices, with ``FRACTION`` fractional bits.
    node : int
        The nearest gain node, whose prior is used.
    background : Background, optional
        Smooth background, subtracted from a plane before coding and added back after decoding.
    """

    gain: Array
    inverse_gain: Array
    scale_bias: Array
    node: int
    background: Background | None = None


@dataclass(frozen=True, eq=False)
class Gains:
    """Gains at the nodes, from the coarsest rate to the finest; qualities lie between them.

    Parameters
    ----------
    gain, inverse_gain : ndarray
        (nodes, M) float32, log2 of the factors.
    scale_bias : ndarray
        (nodes, M) of integers.
    background : Background, optional
        Background at the coarsest rate.
    """

    gain: Array
    inverse_gain: Array
    scale_bias: Array
    background: Background | None = None

    def at(self, quality: float) -> GainSetting:
        """Return the setting at a quality from 0 to 1."""
        last = len(self.gain) - 1
        place = round(quality * last * 2**SHARE)
        left = min(place >> SHARE, max(last - 1, 0))
        right, share = min(left + 1, last), place - (left << SHARE)
        bias = self.scale_bias[left] * (2**SHARE - share) + self.scale_bias[right] * share
        weight = share / 2**SHARE

        def factor(table: Array) -> Array:
            log = table[left].astype(np.float64) * (1 - weight) + table[right] * weight
            factors: Array = np.exp2(log).astype(np.float32)[:, None, None]
            return factors

        rounded_bias = (bias + 2 ** (SHARE - 1) >> SHARE).astype(np.int32)[:, None, None]
        node = place + 2 ** (SHARE - 1) >> SHARE
        background = None if self.background is None else self.background.at(quality)
        return GainSetting(
            factor(self.gain), factor(self.inverse_gain), rounded_bias, node, background
        )
