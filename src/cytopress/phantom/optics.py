"""Optics: bright-field and fluorescence images of a volume, by transfer functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from cytopress.errors import NotAvailableError

Floats = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Microscope:
    """An inverted microscope: light from above, objective below the coverslip.

    Plane 0 of each volume is next to the objective. The defaults are a 60x/1.0 water
    objective, a condenser closed to half of it, green light from an LED, and a dye of DNA.

    Parameters
    ----------
    spacing_um : tuple of float
        Voxel size in Z, Y, X: a camera pixel of 6.5 um is 0.108 um in the sample.
    medium_index : float
        Refractive index around the cells and of the immersion.
    detection_na, illumination_na : float
        Numerical apertures of the objective and of the condenser.
    illumination_um, emission_um : float
        Wavelengths in vacuum, in micrometers.
    """

    spacing_um: tuple[float, float, float] = (0.29, 0.108, 0.108)
    medium_index: float = 1.337
    detection_na: float = 1.0
    illumination_na: float = 0.5
    illumination_um: float = 0.53
    emission_um: float = 0.46


def bright_field(index: Floats, microscope: Microscope) -> Floats:
    """Return the transmitted light relative to that beside the cells.

    The object scatters weakly (first Born approximation) and absorbs nothing, so its image is 1
    plus a convolution of its scattering potential ``(2 pi / wavelength)^2 (n^2 - n_medium^2)``,
    after Streibl [1]_ and Soto et al. [2]_.

    Parameters
    ----------
    index : ndarray
        Refractive index, shape (Z, Y, X). The boundary is periodic along each axis: leave a margin.
    microscope : Microscope
        The optics.

    Raises
    ------
    NotAvailableError
        waveorder is not installed.

    References
    ----------
    .. [1] N. Streibl, "Three-dimensional imaging by a microscope", J. Opt. Soc. Am. A 2 (1985) 121.
    .. [2] J. M. Soto, J. A. Rodrigo, T. Alieva, "Label-free quantitative 3D tomographic imaging for
       partially coherent light microscopy", Opt. Express 25 (2017) 15699.
    """
    wavenumber = 2 * np.pi / microscope.illumination_um
    potential = wavenumber**2 * (index**2 - microscope.medium_index**2)
    return 1 + _convolve(potential, phase_transfer(_shape(index), microscope))


def fluorescence(light: Floats, microscope: Microscope) -> Floats:
    """Return the light on each pixel of each plane in widefield.

    Each plane of the stack collects all light of the volume, in focus or not.

    Parameters
    ----------
    light : ndarray
        Light of each voxel during one exposure, shape (Z, Y, X); periodic boundary, as in
        `bright_field`.
    microscope : Microscope
        The optics.

    Raises
    ------
    NotAvailableError
        waveorder is not installed.
    """
    image = _convolve(light, fluorescence_transfer(_shape(light), microscope))
    # The transfer function preserves the mean of the whole volume.
    return np.maximum(image * len(light), 0)


def _convolve(volume: Floats, transfer: Spectrum) -> Floats:
    spectrum = fft.rfftn(volume)
    spectrum *= transfer
    found: Floats = fft.irfftn(spectrum, s=volume.shape, overwrite_x=True)
    return found


def _shape(volume: Floats) -> Shape:
    planes, rows, columns = volume.shape
    return planes, rows, columns


@lru_cache(maxsize=2)
def phase_transfer(shape: Shape, microscope: Microscope) -> Spectrum:
    """Return the transfer function of the real scattering potential, shape (Z, Y, X // 2 + 1).

    waveorder makes it fade along the axis toward the ends of its grid. So it is calculated for
    twice the depth, and the inner half is kept.
    """
    with _exactly():
        from waveorder.models import phase_thick_3d

        planes = shape[0]
        real, _imaginary = phase_thick_3d.calculate_transfer_function(
            (2 * planes, *shape[1:]),
            yx_pixel_size=microscope.spacing_um[-1],
            z_pixel_size=microscope.spacing_um[0],
            wavelength_illumination=microscope.illumination_um,
            z_padding=0,
            index_of_refraction_media=microscope.medium_index,
            numerical_aperture_illumination=microscope.illumination_na,
            numerical_aperture_detection=microscope.detection_na,
        )
        half = real.numpy()[..., : shape[2] // 2 + 1]
    kernel = fft.ifft(half, axis=0)
    kept = np.concatenate([kernel[: planes - planes // 2], kernel[-(planes // 2) :]])
    return np.asarray(fft.fft(kept, axis=0), dtype=np.complex128)


@lru_cache(maxsize=2)
def fluorescence_transfer(shape: Shape, microscope: Microscope) -> Spectrum:
    """Return the optical transfer function, 1 at the origin, shape (Z, Y, X // 2 + 1)."""
    with _exactly():
        from waveorder.models import isotropic_fluorescent_thick_3d

        transfer = isotropic_fluorescent_thick_3d.calculate_transfer_function(
            shape,
            yx_pixel_size=microscope.spacing_um[-1],
            z_pixel_size=microscope.spacing_um[0],
            wavelength_emission=microscope.emission_um,
            z_padding=0,
            index_of_refraction_media=microscope.medium_index,
            numerical_aperture_detection=microscope.detection_na,
        )
        return np.ascontiguousarray(transfer.numpy()[..., : shape[2] // 2 + 1])


def need_waveorder() -> None:
    """Raise a NotAvailableError that says what to install, unless waveorder is installed."""
    try:
        import waveorder  # noqa: F401
    except ModuleNotFoundError as error:
        raise NotAvailableError(
            "Simulating needs waveorder; install the extra phantom:"
            " pip install 'cytopress[phantom]'."
        ) from error


@contextmanager
def _exactly() -> Iterator[None]:
    """Restrict torch to float64 and to one thread, since more would sum in another order."""
    need_waveorder()
    import torch

    threads, kind = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(kind)
