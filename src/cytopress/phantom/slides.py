"""Slides: preparations and imaging conditions, which vary as they do between days."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slide:
    """One preparation with its imaging conditions; its volumes differ in their cells only.

    Parameters
    ----------
    number : int
        Identifies the slide, and is part of the random seed of its cells.
    cell_um2 : float
        Area of the coverslip per cell.
    nucleus_um : float
        Mean lateral half axis of the nuclei.
    coverslip_plane : float
        Position of the coverslip in the stack, in planes above the lowest.
    bright_field_electrons : float
        Electrons of a pixel beside the cells in one exposure.
    fluorescence_electrons : float
        Electrons per cubic micrometer of an average nucleus in one exposure.
    background_electrons : float
        Constant background of the fluorescence image.
    tilt : tuple of float
        Relative change of the bright-field light across the field, along Y and X.
    """

    number: int
    cell_um2: float
    nucleus_um: float
    coverslip_plane: float
    bright_field_electrons: float
    fluorescence_electrons: float
    background_electrons: float
    tilt: tuple[float, float]

    @property
    def name(self) -> str:
        """Name of the slide, the group of its volumes."""
        return f"slide-{self.number}"


SLIDES = (
    Slide(1, 75.0, 3.6, 5.0, 2400.0, 4800.0, 14.0, (0.06, -0.02)),
    Slide(2, 110.0, 3.9, 3.6, 1500.0, 3200.0, 20.0, (-0.04, 0.05)),
    Slide(3, 80.0, 3.4, 6.4, 3600.0, 6400.0, 9.0, (0.02, 0.07)),
    Slide(4, 150.0, 4.1, 4.4, 2000.0, 4000.0, 24.0, (-0.07, -0.03)),
    Slide(5, 65.0, 3.4, 5.6, 1200.0, 2800.0, 12.0, (0.03, -0.06)),
    Slide(6, 90.0, 3.7, 4.0, 2800.0, 4400.0, 17.0, (0.05, 0.04)),
    Slide(7, 70.0, 3.5, 6.0, 1800.0, 3600.0, 22.0, (-0.05, -0.05)),
    Slide(8, 120.0, 3.9, 4.8, 3200.0, 5600.0, 11.0, (-0.02, 0.06)),
)
