"""Measured properties of an image that decide which quality target suits it.

An image is cut into blocks of 8 x 8 pixels. A block holds *signal* where the means of its four
quarters differ by more than noise lets them: so objects count whether they are brighter or darker
than the background, and a smooth background does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.image import Image
from cytopress.metrics.data_range import data_range
from cytopress.metrics.flat_patches import sample_patches
from cytopress.metrics.noise import NoiseFit, fit_noise
from cytopress.metrics.noise_faults import hides_noise

Floats = npt.NDArray[np.float64]

BLOCK = 8
QUARTER = BLOCK // 2
# Range of a block's quarter means in their standard deviations: of noise alone, 0.06 % exceed it.
BEYOND_NOISE = 5.5
# The tenth percentile of the range of four normal numbers, in their standard deviations.
TENTH_PERCENTILE = 0.98
# So many of the darkest and of the brightest blocks, of at most one in a thousand, are left out of
# the range of levels: hot pixels. Three nuclei in a field are more.
OUTLIERS = 4


@dataclass(frozen=True, kw_only=True)
class ImageProperties:
    """Measured properties of one plane.

    Parameters
    ----------
    signal : float
        Share of the blocks that hold signal, 0 to 1.
    blocks : int
        Number of blocks.
    background : float
        Where the median of the blocks' levels lies between their darkest (0) and brightest (1).
    background_sigma : float
        The noise at the median level, in counts.
    data_range : float
        Span of the pixels in counts, that ``psnr`` refers to.
    noise : NoiseFit
        The noise model: a line, or one sigma for every level.
    noise_hidden : bool
        Whether a filter or rounding hides the noise, so that the model is a lower bound.
    """

    signal: float
    blocks: int
    background: float
    background_sigma: float
    data_range: float
    noise: NoiseFit
    noise_hidden: bool

    def sigma_at_psnr(self, psnr: float) -> float:
        """Return the error that a PSNR allows, in units of the noise of the background."""
        return float(self.data_range / 10 ** (psnr / 20) / self.background_sigma)


def image_properties(image: Image) -> ImageProperties:
    """Measure a plane of at least ``BLOCK`` pixels a side.

    Where the noise is hidden, that of the quarters is at least what the flattest tenth of the
    blocks shows.
    """
    fit, hidden = fit_noise([image]), hides_noise(sample_patches([image]))
    quarters = _quarter_means(image.pixels)
    levels, unevenness = quarters.mean(axis=(1, 3)), np.ptp(quarters, axis=(1, 3))
    noise = fit.model.sigma(levels) / QUARTER
    if hidden:
        noise = np.maximum(noise, np.quantile(unevenness, 0.1) / TENTH_PERCENTILE)
    outliers = min(OUTLIERS, levels.size // 1000)
    low, *_, high = np.sort(levels, axis=None)[outliers : levels.size - outliers]
    median = float(np.median(levels))
    return ImageProperties(
        signal=float(np.mean(unevenness > BEYOND_NOISE * noise)),
        blocks=levels.size,
        background=float((median - low) / (high - low)) if high > low else 0.0,
        background_sigma=float(fit.model.sigma(median)),
        data_range=data_range([image.pixels]),
        noise=fit,
        noise_hidden=hidden,
    )


def _quarter_means(pixels: npt.NDArray[Any]) -> Floats:
    """Return the means of the blocks' quarters; shape (rows, 2, columns, 2)."""
    rows, columns = (length // BLOCK for length in pixels.shape)
    values = pixels[: rows * BLOCK, : columns * BLOCK].astype(np.float64)
    parts = values.reshape(rows, 2, QUARTER, columns, 2, QUARTER)
    return np.asarray(parts.mean(axis=(2, 5)))
