"""Specimens: refractive index and fluorophore density of each voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cytopress.phantom.cells import Cell, seed_cells
from cytopress.phantom.organelles import Organelle, scatter_organelles
from cytopress.phantom.shapes import Floats, Grid, soft
from cytopress.phantom.slides import Slide

EDGE_UM = 0.07


@dataclass(frozen=True)
class Indices:
    """Refractive indices in green light, and their variation within a compartment.

    A nucleus has a lower index than its cytoplasm (Schürmann et al. [1]_, Steelman et al. [2]_),
    and nucleoli a higher one than both (Kim and Guck [3]_). Measurements of organelles are
    collected by Liu et al. [4]_; the values here are round numbers of that size. A membrane of 8 nm
    and index 1.46 is averaged over a voxel here, so little of it is left.

    References
    ----------
    .. [1] M. Schürmann et al., "Cell nuclei have lower refractive index and mass density than
       cytoplasm", J. Biophotonics 9 (2016) 1068.
    .. [2] Z. A. Steelman et al., "Is the nuclear refractive index lower than cytoplasm? Validation
       of phase measurements and implications for light scattering technologies", J. Biophotonics
       10 (2017) 1714.
    .. [3] K. Kim, J. Guck, "The relative densities of cytoplasm and nuclear compartments are robust
       against strong perturbation", Biophys. J. 119 (2020) 1946.
    .. [4] P. Y. Liu et al., "Cell refractive index for cell biology and disease diagnosis: past,
       present and future", Lab Chip 16 (2016) 634.
    """

    medium: float = 1.337
    cytoplasm: float = 1.365
    nucleus: float = 1.358
    nucleolus: float = 1.370
    membrane_excess: float = 0.005
    cytoplasm_deviation: float = 0.0015
    chromatin_deviation: float = 0.002


@dataclass(frozen=True)
class Stain:
    """Fluorophore of compartments relative to the mean of the nucleus, and its variation.

    A DNA dye leaves nucleoli dark and stains the rim of the nucleus more; the cytoplasm keeps a
    little of it.
    """

    cytoplasm: float = 0.04
    nucleolus: float = 0.35
    rim_excess: float = 0.25
    chromatin_deviation: float = 0.3


@dataclass(frozen=True, eq=False)
class Specimen:
    """Cells on a grid whose Z is 0 at the coverslip; each array of shape (Z, Y, X).

    Parameters
    ----------
    index : ndarray
        Refractive index.
    stain : ndarray
        Fluorophore density relative to an average nucleus.
    nuclei : ndarray
        Number of the voxel's nucleus, from 1; 0 for none. uint16.
    """

    index: Floats
    stain: Floats
    nuclei: npt.NDArray[np.uint16]


def grow(
    slide: Slide,
    grid: Grid,
    random: np.random.Generator,
    *,
    indices: Indices = Indices(),
    dye: Stain = Stain(),
) -> Specimen:
    """Grow the cells of one volume.

    Parameters
    ----------
    slide : Slide
        Density and size of the cells.
    grid : Grid
        The voxel grid, in micrometers above the coverslip.
    random : numpy Generator
        Source of all random numbers.
    indices, dye : optional
        Optical properties of the compartments.
    """
    cells = seed_cells(slide, grid, random)
    grain = _grain(grid, random)
    body, skin = _bodies(cells, grid, random)
    index = np.full(grid.shape, indices.medium)
    index += body * (indices.cytoplasm - indices.medium + indices.cytoplasm_deviation * grain)
    index += indices.membrane_excess * skin
    stain = dye.cytoplasm * body
    nuclei = np.zeros(grid.shape, np.uint16)
    inside = np.zeros(grid.shape)
    for number, cell in enumerate(cells, start=1):
        _add_nucleus(cell, number, grid, grain, (index, stain, nuclei, inside), indices, dye)
    room = np.maximum(body - inside, 0)
    for organelle in scatter_organelles(cells, random):
        _add_organelle(organelle, grid, index, room, indices)
    return Specimen(index, stain, nuclei)


def _grain(grid: Grid, random: np.random.Generator) -> Floats:
    """Return a random texture of mean 0, deviation 1 and a grain of a third of a micrometer."""
    noise = random.standard_normal(grid.shape, dtype=np.float32).astype(np.float64)
    sigmas = 0.3 / np.array(grid.spacing_um)
    noise = ndimage.gaussian_filter(noise, sigmas, mode="wrap", truncate=3.0)
    return np.asarray(noise / noise.std())


def _bodies(
    cells: Sequence[Cell], grid: Grid, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the fraction of each voxel that is cell, and that is membrane.

    Seen from above, each position belongs to the highest cell there.
    """
    z, y, x = grid.places(grid.box)
    first = np.zeros(grid.shape[1:])
    second = np.zeros_like(first)
    for cell in cells:
        share = np.maximum(1 - cell.distance(y[0], x[0]) ** 2, 0)
        height = cell.height_um * share**0.7
        second = np.maximum(second, np.minimum(first, height))
        first = np.maximum(first, height)
    ruffles = ndimage.gaussian_filter(random.standard_normal(first.shape), 0.8 / grid.spacing_um[1])
    height = first * (1 + 0.05 * ruffles / ruffles.std())
    slopes = np.gradient(first - second, grid.spacing_um[1])
    apart_um = (first - second) / np.maximum(np.hypot(*slopes), 0.05)
    junction = np.exp(-((apart_um / 0.12) ** 2) / 2) * (second > 0)
    top, bottom = soft(height - z, EDGE_UM), soft(z, EDGE_UM)
    body = top * bottom
    skin = 4 * (top * (1 - top) + bottom * (1 - bottom) * (height > 0)) + junction * body
    return body, np.asarray(skin)


def _add_nucleus(
    cell: Cell,
    number: int,
    grid: Grid,
    grain: Floats,
    into: tuple[Floats, Floats, npt.NDArray[np.uint16], Floats],
    indices: Indices,
    dye: Stain,
) -> None:
    box = grid.around(cell.nucleus.center, cell.nucleus.reach_um + 4 * EDGE_UM)
    if box is None:
        return
    index, stain, nuclei, inside = (volume[box] for volume in into)
    depth = cell.nucleus.depth(grid, box)
    share = soft(depth, EDGE_UM)
    texture = grain[box]
    index += share * (indices.nucleus - indices.cytoplasm)
    index += share * texture * indices.chromatin_deviation
    index += 4 * share * (1 - share) * indices.membrane_excess
    rim = 1 + dye.rim_excess * np.exp(-np.abs(depth - 0.15) / 0.2)
    density = rim * np.exp(dye.chromatin_deviation * texture)
    for nucleolus in cell.nucleoli:
        spot = soft(nucleolus.depth(grid, box), EDGE_UM) * share
        index += spot * (indices.nucleolus - indices.nucleus)
        density *= 1 - spot * (1 - dye.nucleolus)
    stain += share * (cell.stain * density - dye.cytoplasm)
    nuclei[(depth > 0) & (nuclei == 0)] = number
    np.maximum(inside, share, out=inside)


def _add_organelle(
    organelle: Organelle, grid: Grid, index: Floats, room: Floats, indices: Indices
) -> None:
    box = grid.around(organelle.body.center, organelle.body.reach_um + 3 * EDGE_UM)
    if box is None:
        return
    share = soft(organelle.body.depth(grid, box), EDGE_UM) * room[box]
    # Where two overlap, the denser one.
    np.maximum(
        index[box],
        indices.cytoplasm + share * (organelle.index - indices.cytoplasm),
        out=index[box],
        where=share > 0.05,
    )
