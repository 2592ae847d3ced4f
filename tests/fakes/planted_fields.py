"""Made fields of each kind, of a camera whose gain and read noise are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cytopress.image import Image

Floats = npt.NDArray[np.float64]
OFFSET, READ, GAIN = 100.0, 4.0, 2.0


def blobs(count: int, seed: int, *, side: int = 256) -> Floats:
    """Return blurred discs of very different brightness, up to 1, on nothing."""
    rng = np.random.default_rng(seed)
    rows, columns = np.ogrid[:side, :side]
    light = np.zeros((side, side))
    for brightness in np.geomspace(0.02, 1, count):
        row, column = rng.integers(8, side - 8, 2)
        light[(rows - row) ** 2 + (columns - column) ** 2 < 7**2] = brightness
    return np.asarray(ndimage.gaussian_filter(light, 1.5))


def camera(light: Floats, seed: int = 0) -> Image:
    """Expose light in counts: Poisson electrons, read noise, an offset."""
    rng = np.random.default_rng([seed, 1])
    counts = OFFSET + rng.poisson(light / GAIN) * GAIN + rng.normal(0, READ, light.shape)
    return Image(np.clip(np.rint(counts), 0, 65535).astype(np.uint16))


def true_sigma(light: Floats) -> Floats:
    """Return the standard deviation of the camera's noise at light in counts."""
    return np.sqrt(GAIN * light + READ**2)


def fluorescence_light(count: int = 25, seed: int = 0, *, side: int = 256) -> Floats:
    """Return few bright objects on a background of 20 counts."""
    return 20 + 20000 * blobs(count, seed, side=side)


def bright_field_light(count: int = 25, seed: int = 0, *, side: int = 256) -> Floats:
    """Return objects both brighter and darker than a background of 2,000 counts."""
    up, down = blobs(count, seed, side=side), blobs(count, seed + 100, side=side)
    return 2000 + 900 * up - 900 * down
