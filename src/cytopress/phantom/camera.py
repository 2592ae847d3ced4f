"""Camera model: photons to electrons to counts, with shot and read noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.image import Pixels

# Expected electrons are rounded to this. Processors differ in the last bits of a float64, here by
# 1e-11 electrons: hardly one voxel in a dozen data sets is so near a rounding border.
STEP = 1 / 8


@dataclass(frozen=True)
class Camera:
    """An ideal scientific CMOS camera.

    The expected signal is rounded to eighths of an electron, far below the noise, so that images do
    not depend on a processor's rounding.

    Parameters
    ----------
    gain : float
        Counts for each electron.
    offset : float
        Counts in the dark.
    read_noise : float
        Standard deviation, in electrons.
    bits : int
        Significant bits of the counts, stored in 16; brighter pixels saturate.
    """

    gain: float = 2.0
    offset: float = 100.0
    read_noise: float = 1.6
    bits: int = 14

    def expose(self, electrons: npt.NDArray[Any], random: np.random.Generator) -> Pixels:
        """Return the counts of one exposure, uint16.

        The variance of a pixel of expected value v is gain (v - offset) + (gain read_noise)^2, plus
        1/12 from rounding.

        Parameters
        ----------
        electrons : ndarray
            Expected number in each pixel, not negative, any shape.
        random : numpy Generator
            Source of the noise.
        """
        expected = np.rint(np.asarray(electrons, dtype=np.float64) / STEP) * STEP
        caught = random.poisson(expected)
        noise = random.standard_normal(expected.shape, dtype=np.float32) * self.read_noise
        counts = np.rint(self.gain * (caught + noise) + self.offset)
        return np.asarray(np.clip(counts, 0, 2**self.bits - 1), dtype=np.uint16)
