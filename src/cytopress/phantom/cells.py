"""Random cells on a coverslip: positions, heights, outlines and nuclei."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.phantom.shapes import Body, Floats, Grid, Point, random_body
from cytopress.phantom.slides import Slide

NUCLEUS_BENT = 0.05
# Thickness of the cytoplasm below and above a nucleus.
BELOW_UM, ABOVE_UM = (0.4, 0.9), (0.5, 1.0)
NUCLEUS_HALF_HEIGHT_UM = (1.7, 2.5)
TRIES = 60


@dataclass(frozen=True)
class Cell:
    """One cell.

    Parameters
    ----------
    nucleus : Body
        Its nucleus.
    nucleoli : tuple of Body
        Nucleoli inside the nucleus.
    height_um : float
        Height of the cell body above the coverslip, at its center.
    radius_um : float
        Mean radius of the body along the coverslip.
    lobes : ndarray
        Shape (harmonics, 2): amplitude, relative to the radius, and phase of the outline's
        harmonics from the second on.
    stain : float
        Fluorophore of the nucleus relative to the average.
    """

    nucleus: Body
    nucleoli: tuple[Body, ...]
    height_um: float
    radius_um: float
    lobes: npt.NDArray[np.float64]
    stain: float

    def distance(self, y: Floats, x: Floats) -> Floats:
        """Return the distance from the cell's center, 1 at its outline, with broadcasting."""
        dy, dx = (part - c for part, c in zip((y, x), self.nucleus.center[1:], strict=True))
        angle = np.arctan2(dy, dx)
        radius = 1 + sum(
            size * np.cos(k * angle + phase) for k, (size, phase) in enumerate(self.lobes, start=2)
        )
        return np.asarray(np.hypot(dy, dx) / (self.radius_um * radius))


def seed_cells(slide: Slide, grid: Grid, random: np.random.Generator) -> list[Cell]:
    """Place cells on the coverslip (Z = 0), until their number is reached or no space is left.

    Nuclei do not overlap. Cells beside the grid are included if they may extend into it.
    """
    margin = 2.0
    low = np.array(grid.origin_um[1:]) - margin
    high = np.array(grid.origin_um[1:]) + np.array(grid.shape[1:]) * grid.spacing_um[1:] + margin
    wanted = round(float(np.prod(high - low)) / slide.cell_um2)
    cells: list[Cell] = []
    for _ in range(TRIES * wanted):
        place = random.uniform(low, high)
        cell = _random_cell(slide, place, random)
        if all(_apart(cell.nucleus, other.nucleus) for other in cells):
            cells.append(cell)
        if len(cells) == wanted:
            break
    return cells


def _apart(one: Body, other: Body) -> bool:
    gap = np.linalg.norm(one.center[1:] - other.center[1:])
    return bool(gap > one.reach_um + other.reach_um)


def _random_cell(slide: Slide, place: Point, random: np.random.Generator) -> Cell:
    half_height = random.uniform(*NUCLEUS_HALF_HEIGHT_UM)
    size = slide.nucleus_um * random.lognormal(0, 0.1)
    stretch = random.uniform(1.0, 1.22)
    radii = np.array([half_height, size * stretch, size / stretch])
    bottom, top = random.uniform(*BELOW_UM), random.uniform(*ABOVE_UM)
    center = np.array([bottom + half_height, *place])
    nucleus = random_body(center, radii, random, bent=NUCLEUS_BENT)
    return Cell(
        nucleus=nucleus,
        nucleoli=_nucleoli(nucleus, random),
        height_um=bottom + 2 * half_height + top,
        radius_um=1.3 * float(np.sqrt(slide.cell_um2 / np.pi)) * random.lognormal(0, 0.1),
        lobes=np.stack([random.normal(0, (0.14, 0.08, 0.05)), random.uniform(0, 2 * np.pi, 3)], 1),
        stain=float(random.uniform(0.7, 1.4)),
    )


def _nucleoli(nucleus: Body, random: np.random.Generator) -> tuple[Body, ...]:
    found = []
    for _ in range(random.integers(1, 5)):
        radius = random.uniform(0.45, 1.0)
        direction = random.normal(size=3)
        direction /= np.linalg.norm(direction)
        inside = direction * random.uniform(0, 0.55) * nucleus.radii
        center = nucleus.center + inside @ nucleus.axes
        radii = radius * random.uniform(0.8, 1.25, 3)
        found.append(random_body(center, radii, random, bent=0.06))
    return tuple(found)
