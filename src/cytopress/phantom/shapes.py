"""Smooth bodies on a voxel grid, with the depth of each voxel below their surface."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Floats = npt.NDArray[np.float64]
Point = npt.NDArray[np.float64]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Grid:
    """A voxel grid; ``origin_um`` is the position of voxel (0, 0, 0), in Z, Y, X."""

    shape: tuple[int, int, int]
    spacing_um: tuple[float, float, float]
    origin_um: tuple[float, float, float]

    @property
    def box(self) -> Box:
        """The whole grid."""
        planes, rows, columns = (slice(0, length) for length in self.shape)
        return planes, rows, columns

    def around(self, center: Point, radius_um: float) -> Box | None:
        """Return the voxels of the cube around a point, or None without any."""
        low = np.ceil((center - radius_um - self.origin_um) / self.spacing_um).astype(int)
        high = np.floor((center + radius_um - self.origin_um) / self.spacing_um).astype(int) + 1
        low, high = np.maximum(low, 0), np.minimum(high, self.shape)
        if (low >= high).any():
            return None
        planes, rows, columns = (slice(a, b) for a, b in zip(low, high, strict=True))
        return planes, rows, columns

    def places(self, box: Box) -> tuple[Floats, Floats, Floats]:
        """Return Z, Y, X in micrometers, each along its own axis, for broadcasting."""
        z, y, x = (
            start + spacing * np.arange(part.start, part.stop)
            for part, spacing, start in zip(box, self.spacing_um, self.origin_um, strict=True)
        )
        return z[:, None, None], y[None, :, None], x[None, None, :]


@dataclass(frozen=True)
class Body:
    """An ellipsoid whose surface is deformed by low spherical harmonics.

    Parameters
    ----------
    center : ndarray
        Z, Y, X in micrometers.
    radii : ndarray
        Half axes in micrometers, along the rows of ``axes``.
    axes : ndarray
        Shape (3, 3): unit vectors in Z, Y, X.
    bend : ndarray
        Shape (3, 3), symmetric with trace 0: in the direction d the radius is 1 + d bend d +
        (d twist)^3.
    twist : ndarray
        Shape (3,).
    """

    center: Point
    radii: Point
    axes: Point = field(default_factory=lambda: np.eye(3))
    bend: Point = field(default_factory=lambda: np.zeros((3, 3)))
    twist: Point = field(default_factory=lambda: np.zeros(3))

    @cached_property
    def reach_um(self) -> float:
        """No point of it is farther from its center."""
        bulge = np.abs(np.linalg.eigvalsh(self.bend)).max() + np.linalg.norm(self.twist) ** 3
        return float(self.radii.max() * (1 + bulge))

    def depth(self, grid: Grid, box: Box) -> Floats:
        """Return roughly how far inside each voxel of a box is, in micrometers; outside below 0."""
        offsets = [p - c for p, c in zip(grid.places(box), self.center, strict=True)]
        scaled = self.axes / self.radii[:, None]
        u = [sum(row[i] * offsets[i] for i in range(3)) for row in scaled]
        distance = np.maximum(np.sqrt(u[0] ** 2 + u[1] ** 2 + u[2] ** 2), 1e-6)
        d = [part / distance for part in u]
        radius = 1 + sum(self.bend[i, j] * d[i] * d[j] for i in range(3) for j in range(3))
        radius = radius + sum(self.twist[i] * d[i] for i in range(3)) ** 3
        return np.asarray((radius - distance) * np.cbrt(self.radii.prod()))


def soft(depth: Floats, edge_um: float) -> Floats:
    """Return the fraction of a voxel inside: a step function smoothed over ``edge_um``."""
    return np.asarray(expit(depth / edge_um))


def random_body(center: Point, radii: Point, random: np.random.Generator, *, bent: float) -> Body:
    """Rotate an ellipsoid about the vertical, tilt it a little, and deform it.

    Parameters
    ----------
    center, radii : ndarray
        As in `Body`; the first half axis is the vertical one.
    random : numpy Generator
        Source of angles and deformations.
    bent : float
        Standard deviation of the deformations, relative to the radius.
    """
    turn, tilt = random.uniform(0, 2 * np.pi), random.normal(0, 0.06)
    about = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    over = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    loose = random.normal(0, bent, (3, 3))
    bend = (loose + loose.T) / 2
    bend -= np.eye(3) * np.trace(bend) / 3
    direction = random.normal(size=3)
    twist = direction / np.linalg.norm(direction) * np.cbrt(2 * bent)
    return Body(center, radii, over @ about, bend, twist)
