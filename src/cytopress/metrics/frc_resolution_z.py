"""Fourier correlation along z: the highest axial frequency that two volumes share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytopress.errors import NotAvailableError
from cytopress.image import Pixels
from cytopress.metrics.frc_resolution import SMALLEST, Floats, crossing, normalized
from cytopress.metrics.metric import Metric
from cytopress.reuse import reused


def frc_resolution_z(reference: Pixels, test: Pixels, _data_range: float = 1.0) -> float:
    """Frequency along z at which the correlation first falls below 1/7, in cycles per plane.

    The axial counterpart of `frc_resolution`: mean removed, Hann window along each axis, the same
    threshold and interpolation. As in a sectioned Fourier shell correlation [1]_, only a double
    cone around the z axis counts: frequencies along z of at least that in the plane, both in cycles
    per voxel, so that lateral detail has no influence. Divide by
    the distance of the planes in micrometers for cycles per micrometer. The data range is
    ignored.

    A codec that removes noise along z loses resolution here as one that blurs does: the reference
    is the original with its noise.

    Raises
    ------
    NotAvailableError
        An axis is shorter than 16 voxels, or the image is a plane.

    References
    ----------
    .. [1] S. Koho et al., "Fourier ring correlation simplifies image restoration in fluorescence
       microscopy", Nature Communications 10 (2019) 3103.
    """
    return crossing(*cone_correlation(reference, test))


def cone_correlation(reference: Pixels, test: Pixels) -> tuple[Floats, Floats]:
    """Correlate two spectra plane by plane, within 45 degrees of the z axis.

    Returns
    -------
    frequencies, correlations : ndarray
        Shape (planes // 2,): cycles per plane, up to 0.5, and -1 to 1.
    """
    if min(reference.shape) < SMALLEST:
        raise NotAvailableError(
            f"frc_resolution_z needs at least {SMALLEST} voxels along every axis, not"
            f" {reference.shape}."
        )
    planes, height, width = reference.shape
    x = reused("windowed spectrum along z", [reference], lambda: _spectrum(reference))
    y = _spectrum(test)
    lateral = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width))
    sums = np.zeros((3, planes // 2))
    for index in range(1, planes // 2 + 1):
        # The other half of the spectrum is the conjugate of this one.
        inside = lateral <= index / planes
        s_x, s_y = x[index][inside], y[index][inside]
        sums[:, index - 1] = (
            float(np.sum((s_x * s_y.conj()).real)),
            float(np.sum(np.abs(s_x) ** 2)),
            float(np.sum(np.abs(s_y) ** 2)),
        )
    energy = x[0].size * max(
        float(np.sum(image.astype(np.float64) ** 2)) for image in (reference, test)
    )
    return np.arange(1, planes // 2 + 1) / planes, normalized(sums, energy)


def _spectrum(volume: Pixels) -> npt.NDArray[np.complex128]:
    """Return the spectrum of a windowed volume; (planes // 2 + 1, Y, X), the half with kz >= 0."""
    from scipy.fft import fft2, rfft

    values = volume.astype(np.float64)
    values -= values.mean()
    for axis, length in enumerate(volume.shape):
        window = np.hanning(length + 1)[:-1]
        values *= np.expand_dims(window, [other for other in range(3) if other != axis])
    return np.asarray(fft2(rfft(values, axis=0), axes=(1, 2)))


METRIC = Metric("frc_resolution_z", "cycles/plane", "higher", frc_resolution_z, dims=(3,))
