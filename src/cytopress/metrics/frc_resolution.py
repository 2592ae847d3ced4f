"""Fourier ring correlation (FRC) in the plane: the highest frequency that two images share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytopress.errors import NotAvailableError
from cytopress.image import Pixels
from cytopress.metrics.metric import Metric
from cytopress.reuse import reused

Floats = npt.NDArray[np.float64]

THRESHOLD = 1 / 7
NYQUIST = 0.5
SMALLEST = 16
# Share of all energy below which power is rounding error of a float64 transform.
NOTHING = 1e-26


def frc_resolution(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Spatial frequency at which the ring correlation first falls below 1/7, in cycles per pixel.

    As in [1]_, with the fixed threshold: mean removed, Hann window, rings one frequency step of the
    shorter side wide, crossing interpolated linearly between rings; 0.5, the Nyquist frequency,
    where there is no crossing. Divide by the spacing in micrometers for cycles per micrometer.
    The data range is ignored.

    The rings of a stack are in the plane and pooled over all planes, so that the result does not
    depend on the distance of planes.

    Raises
    ------
    NotAvailableError
        A side is shorter than 16 pixels.

    References
    ----------
    .. [1] R. P. J. Nieuwenhuizen et al., "Measuring image resolution in optical nanoscopy",
       Nature Methods 10 (2013) 557.
    """
    return crossing(*ring_correlation(reference, test))


def crossing(frequencies: Floats, correlations: Floats) -> float:
    """Return the frequency at which a correlation first falls below 1/7, or Nyquist without one.

    Interpolated linearly; the correlation at frequency 0 is taken as 1.
    """
    below = np.flatnonzero(correlations < THRESHOLD)
    if below.size == 0:
        return NYQUIST
    high = int(below[0])
    f1, c1 = (frequencies[high - 1], correlations[high - 1]) if high else (0.0, 1.0)
    f2, c2 = frequencies[high], correlations[high]
    return float(f1 + (c1 - THRESHOLD) / (c1 - c2) * (f2 - f1))


def ring_correlation(reference: Pixels, test: Pixels) -> tuple[Floats, Floats]:
    """Correlate two spectra ring by ring.

    Returns
    -------
    frequencies, correlations : ndarray
        Shape (rings,): cycles per pixel, up to 0.5, and -1 to 1. On a ring without power in either
        image the correlation is 1, with power in one image only it is 0.
    """
    height, width = reference.shape[-2:]
    shorter = min(height, width)
    if shorter < SMALLEST:
        raise NotAvailableError(
            f"frc_resolution needs sides of at least {SMALLEST} pixels, not {height} x {width}."
        )
    ring, count = _rings(height, width)
    sums = np.zeros((3, ring.max() + 1))
    energy = 0.0
    # The spectra of a stack would be more than is kept for other computations.
    alone = reference.size == height * width
    planes = (image.reshape(-1, height, width) for image in (reference, test))
    for x, y in zip(*planes, strict=True):
        s_x, s_y = _spectrum_of_reference(x) if alone else _spectrum(x), _spectrum(y)
        products = (s_x * s_y.conj()).real, np.abs(s_x) ** 2, np.abs(s_y) ** 2
        for row, product in enumerate(products):
            sums[row] += np.bincount(ring, product.ravel() * count, minlength=sums.shape[1])
        energy += x.size * max(float(np.sum(image.astype(np.float64) ** 2)) for image in (x, y))
    correlations = normalized(sums[:, 1 : shorter // 2 + 1], energy)
    return np.arange(1, shorter // 2 + 1) / shorter, correlations


def normalized(sums: Floats, energy: float) -> Floats:
    """Return the correlation of each bin of two spectra, -1 to 1.

    Parameters
    ----------
    sums : ndarray
        (3, bins): the real part of the cross power, and the power of either image.
    energy : float
        Energy of the images, in the scale of their transforms; power far below is rounding error.
    """
    cross, power_x, power_y = sums
    empty_x, empty_y = power_x <= NOTHING * energy, power_y <= NOTHING * energy
    either = empty_x | empty_y
    scale = np.where(either, 1.0, np.sqrt(power_x) * np.sqrt(power_y))
    agreement = np.where(empty_x & empty_y, 1.0, 0.0)
    return np.asarray(np.where(either, agreement, cross / scale))


def _rings(height: int, width: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the ring of each coefficient of a half spectrum, and its multiplicity."""
    vertical = np.fft.fftfreq(height)[:, np.newaxis]
    horizontal = np.fft.rfftfreq(width)
    ring = np.rint(np.hypot(vertical, horizontal) * min(height, width)).astype(np.int64)
    # Of a real image half of the spectrum is stored: inner columns count twice.
    count = np.full(ring.shape, 2.0)
    count[:, 0] = 1.0
    if width % 2 == 0:
        count[:, -1] = 1.0
    return ring.ravel(), count.ravel()


def _spectrum_of_reference(plane: Pixels) -> npt.NDArray[np.complex128]:
    # A study compares an original with dozens of decoded images.
    return reused("windowed spectrum", [plane], lambda: _spectrum(plane))


def _spectrum(plane: Pixels) -> npt.NDArray[np.complex128]:
    from scipy.fft import rfft2

    height, width = plane.shape
    values = plane.astype(np.float64)
    window = np.hanning(height + 1)[:-1, np.newaxis] * np.hanning(width + 1)[:-1]
    return np.asarray(rfft2((values - values.mean()) * window))


METRIC = Metric("frc_resolution", "cycles/pixel", "higher", frc_resolution)
