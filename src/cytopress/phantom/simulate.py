"""Simulation of one volume: specimen, optics and camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from cytopress.image import Image, Pixels
from cytopress.phantom.camera import Camera
from cytopress.phantom.optics import Floats, Microscope, bright_field, fluorescence, need_waveorder
from cytopress.phantom.shapes import Grid
from cytopress.phantom.slides import Slide
from cytopress.phantom.specimen import grow

SHAPE = (32, 256, 256)
# Simulated around the kept part and then cut off, because of the periodic boundary.
MARGIN_UM = 6.9
# More than the height of cells; the coverslip is inside the stack.
OBJECT_PLANES = 40
DARKEST = 0.05


@dataclass(frozen=True, eq=False)
class PhantomVolume:
    """A simulated field: two images and the ground truth, each of shape (Z, Y, X).

    Parameters
    ----------
    bright_field, fluorescence : Image
        The images of the camera.
    nuclei : ndarray
        Label image, uint16: 0 for the background, nuclei numbered from 1 without gaps.
    """

    bright_field: Image
    fluorescence: Image
    nuclei: Pixels


def simulate(
    slide: Slide,
    number: int,
    *,
    shape: tuple[int, int, int] = SHAPE,
    microscope: Microscope = Microscope(),  # noqa: B008 - frozen
    camera: Camera = Camera(),  # noqa: B008
) -> PhantomVolume:
    """Simulate a volume of a slide.

    Equal arguments give equal pixels with equal versions of the libraries, whatever the number of
    threads and the processor: see `Camera`.

    Parameters
    ----------
    slide : Slide
        Properties of its cells and light.
    number : int
        Number of the volume in the slide, from 1; each has other cells.
    shape : tuple of int, optional
        Planes, rows and columns of the volume.
    microscope, camera : optional
        The optics and the camera.

    Raises
    ------
    NotAvailableError
        waveorder is not installed.
    """
    need_waveorder()
    growing, noise = (np.random.default_rng([slide.number, number, part]) for part in range(2))
    margins = [round(MARGIN_UM / size) for size in microscope.spacing_um[1:]]
    rows, columns = (
        fft.next_fast_len(length + 2 * margin)
        for length, margin in zip(shape[1:], margins, strict=True)
    )
    planes = max(OBJECT_PLANES, shape[0])
    grid = Grid(
        (planes, rows, columns),
        microscope.spacing_um,
        (-slide.coverslip_plane * microscope.spacing_um[0], 0.0, 0.0),
    )
    specimen = grow(slide, grid, growing)
    kept = (slice(shape[0]), *(slice(m, m + n) for m, n in zip(margins, shape[1:], strict=True)))
    light = bright_field(deepened(specimen.index, microscope.medium_index), microscope)[kept]
    light = np.maximum(light, DARKEST) * _shading(shape, slide)
    voxel_um3 = np.prod(microscope.spacing_um)
    emitted = specimen.stain * slide.fluorescence_electrons * voxel_um3
    glow = fluorescence(deepened(emitted, 0.0), microscope)[kept] + slide.background_electrons

    def image(electrons: Floats, name: str) -> Image:
        pixels = camera.expose(electrons, noise)
        return Image(pixels, bits=camera.bits, spacing_um=microscope.spacing_um, name=name)

    return PhantomVolume(
        image(light * slide.bright_field_electrons, "bright-field"),
        image(glow, "fluorescence"),
        _renumbered(specimen.nuclei[kept]),
    )


def deepened(volume: Floats, rest: float) -> Floats:
    """Return the volume padded with as many planes of ``rest``.

    The periodic boundary of a convolution then falls into these planes.
    """
    planes = len(volume)
    deep = np.full((fft.next_fast_len(2 * planes), *volume.shape[1:]), rest)
    deep[:planes] = volume
    return deep


def _shading(shape: tuple[int, int, int], slide: Slide) -> Floats:
    """Return the uneven illumination of the condenser, 1 in the center, shape (Y, X)."""
    y, x = (np.linspace(-0.5, 0.5, length) for length in shape[1:])
    tilted = 1 + slide.tilt[0] * y[:, None] + slide.tilt[1] * x[None, :]
    return np.asarray(tilted - 0.1 * (y[:, None] ** 2 + x[None, :] ** 2))


def _renumbered(labels: npt.NDArray[np.uint16]) -> Pixels:
    present, found = np.unique(labels, return_inverse=True)
    first = 0 if present[0] == 0 else 1
    return (found.reshape(labels.shape) + first).astype(np.uint16)
