"""Expected rate and error of a plane at any quality, from the magnitudes of its latents.

An encoder's alone: searches begin with it. Of each channel the magnitudes are counted once, on a
logarithmic scale; a quality's gains move them along it. The rate then follows from how many latents
exceed a step, and by how much; the error is that of a uniform quantizer with a dead zone, since the
transform is nearly orthonormal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.expectation import Expectation
from cytopress.codecs.learned.exact.gains import LOG_BITS, ExactGains
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.codecs.learned.exact.numbers import LATENT_BITS
from cytopress.codecs.learned.exact.pixels import Normalization
from cytopress.codecs.learned.exact.window import Window
from cytopress.image import Image

Array = npt.NDArray[Any]
# Latents whose magnitudes are counted: whole rows, spread over the plane.
MOST = 2**17
# Of the logarithmic scale: parts of an octave, and octaves from the least integer on.
PARTS, OCTAVES = 4, 27
# Magnitudes in steps from which a latent is coded, and from which it counts for the rate.
DEAD, CODED = 0.5, 0.6
# The logarithm of the bits a latent, by those of what they take alone and of the share that is
# coded: fitted to `learned/cytopress-2d` on validation images of ten collections.
RATE = (1.297, 0.463, 0.029, 0.695)
# Root-mean-square errors over those of the quantizer, fitted alike.
ERROR = 0.9
LEAST = 1e-5
# A middle quality.
MIDDLE = 0.45
# Bytes of a stream besides its latents, and of its header, about.
HEAD = 100


def expected(model: ExactModel, image: Image) -> Expectation | None:
    """Return what a plane takes at the gain nodes, and the error; None where it is not known."""
    normalization = Normalization.of(image, model.manifest.percentiles)
    if not normalization.span:
        return None
    # The mesh hardly matters; that of a middle quality spares most searches an analysis.
    background = model.gains.at(MIDDLE)[0].background
    mesh = None if background is None else background.mesh
    y = model.forward.analyzed(Window(normalization, mesh, [image.pixels]))
    if y is None:
        return None
    magnitudes, positions = Magnitudes.of(y), model.gains.positions
    scale = float(normalization.span) ** 2
    out_of_band = tuple(
        scale * magnitudes.energy(channels) for channels in model.forward.out_of_band
    )
    found = np.array([magnitudes.at(model.gains, quality) for quality in positions])
    # More than nothing, and in order.
    sizes = np.maximum.accumulate(y.size / 8 * found[:, 0] + HEAD)
    errors = np.minimum.accumulate(found[:, 1] * scale)
    return Expectation(positions, sizes, errors, out_of_band)


@dataclass(frozen=True, eq=False)
class Magnitudes:
    """Counts of latents by channel and magnitude.

    Parameters
    ----------
    share : ndarray
        (M, bins) of all latents, in sum 1.
    least : int
        The first bin's magnitude.
    """

    share: Array
    least: int

    @classmethod
    def of(cls, latents: Array) -> Magnitudes:
        """Count latents, (h, w, M) int32 in used ranges, with ``LATENT_BITS`` a fraction."""
        channels = latents.shape[2]
        held = np.abs(latents[:: max(1, round(latents.size / MOST))]).astype(np.float32)
        # Zeros are below every step as well.
        bins = (np.log2(np.maximum(held, 1)) * PARTS + 0.5).astype(np.int32)
        bins += np.arange(channels, dtype=np.int32) * (PARTS * OCTAVES)
        counts = np.bincount(bins.ravel(), minlength=channels * PARTS * OCTAVES)
        table = counts.reshape(channels, -1)
        first, *_, last = np.flatnonzero(table.any(axis=0)).take([0, 0, -1])
        return cls(table[:, first : last + 1] / held.size, int(first))

    def energy(self, channels: Array) -> float:
        """Return the mean square of the latents of some channels, over all, in used ranges."""
        squares = np.exp2(2 * self._scale)
        return float((self.share[channels] * squares).sum())

    @property
    def _scale(self) -> Array:
        """Logarithm of each bin's magnitude, in used ranges."""
        return (np.arange(self.share.shape[1]) + self.least) / PARTS - LATENT_BITS

    def at(self, gains: ExactGains, quality: float) -> tuple[float, float]:
        """Return bits a latent, and the mean square error in used ranges."""
        last = len(gains.inverse) - 1
        left = min(int(quality * last), max(last - 1, 0))
        weight, right = quality * last - left, min(left + 1, last)
        logs = gains.gains.gain, gains.inverse / 2.0**LOG_BITS
        gain, inverse = (each[left] * (1 - weight) + each[right] * weight for each in logs)
        steps = np.exp2(self._scale + gain[:, None])
        coded = steps > CODED
        share = float(self.share[coded].sum())
        alone = float((self.share[coded] * np.log2(1 + steps[coded])).sum())
        logs_of = np.log(alone + LEAST), np.log(share + LEAST)
        rate = RATE[0] + RATE[1] * logs_of[0] + RATE[2] * logs_of[0] ** 2 + RATE[3] * logs_of[1]
        lost = np.where(steps < DEAD, steps**2, 1 / 12) * np.exp2(2 * inverse)[:, None]
        return float(np.exp(rate)), ERROR**2 * float((self.share * lost).sum())
