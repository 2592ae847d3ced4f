"""Random mitochondria and lipid droplets: the texture of a cell in transmitted light."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cytopress.phantom.cells import Cell
from cytopress.phantom.shapes import Body, Point

MITOCHONDRION_INDEX = (1.385, 1.405)
LIPID_INDEX = (1.42, 1.45)


@dataclass(frozen=True)
class Organelle:
    """A body in the cytoplasm and its refractive index."""

    body: Body
    index: float


def scatter_organelles(cells: Sequence[Cell], random: np.random.Generator) -> Iterator[Organelle]:
    """Scatter organelles through the cytoplasm, denser near the nucleus.

    A few may be in a nucleus or above the cell; `grow` leaves those parts out.
    """
    for cell in cells:
        for _ in range(random.poisson(45)):
            yield from _mitochondrion(cell, random)
        for _ in range(random.poisson(8)):
            radius = random.uniform(0.15, 0.4)
            body = Body(_place(cell, random), np.full(3, radius))
            yield Organelle(body, random.uniform(*LIPID_INDEX))


def _place(cell: Cell, random: np.random.Generator) -> Point:
    distance, angle = random.uniform(0.2, 0.95), random.uniform(0, 2 * np.pi)
    top = cell.height_um * (1 - distance**2) ** 0.7
    along = distance * cell.radius_um * np.array([np.sin(angle), np.cos(angle)])
    return np.array([random.uniform(0.15, max(0.2, top - 0.3)), *(cell.nucleus.center[1:] + along)])


def _mitochondrion(cell: Cell, random: np.random.Generator) -> Iterator[Organelle]:
    """Yield the beads of a curved thread, one to three micrometers long."""
    place, angle = _place(cell, random), random.uniform(0, 2 * np.pi)
    index, radius = random.uniform(*MITOCHONDRION_INDEX), random.uniform(0.16, 0.26)
    for _ in range(random.integers(3, 9)):
        yield Organelle(Body(place, np.full(3, radius)), index)
        angle += random.normal(0, 0.35)
        step = 1.5 * radius * np.array([0.0, np.sin(angle), np.cos(angle)])
        place = place + step
