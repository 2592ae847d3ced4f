"""The simulated dataset phantom-3d: cells of known shape in three dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cytopress.callbacks import Progress
from cytopress.datasets.folder_form import write_form
from cytopress.formats.images import write
from cytopress.image import Image

if TYPE_CHECKING:
    from cytopress.phantom.slides import Slide

NAME = "phantom-3d"
TITLE = "Simulated cells in three dimensions, bright-field and nuclear fluorescence, with labels"
VOLUMES_A_SLIDE = 5
COLUMNS = ("input", "target", "labels")


def simulate_phantom_3d(
    folder: Path,
    progress: Progress,
    *,
    shape: tuple[int, int, int] | None = None,
    volumes: int = VOLUMES_A_SLIDE,
) -> None:
    """Simulate the dataset into ``folder``; existing volumes are kept.

    Parameters
    ----------
    folder : Path
        An existing folder, empty but for the volumes of an interrupted call.
    progress : callable
        Called with (done, total, the volume being simulated).
    shape : tuple of int, optional
        Planes, rows and columns of each volume, for tests; the dataset's own unless given.
    volumes : int, optional
        Number of volumes of each slide.

    Raises
    ------
    NotAvailableError
        The extra ``phantom`` is not installed.
    """
    from cytopress.phantom.camera import Camera
    from cytopress.phantom.optics import Microscope
    from cytopress.phantom.slides import SLIDES

    (folder / "images").mkdir(exist_ok=True)
    wanted = [(slide, number) for slide in SLIDES for number in range(1, volumes + 1)]
    rows = []
    for done, (slide, number) in enumerate(wanted):
        field = f"{slide.name}_volume-{number}"
        progress(done, len(wanted), field)
        row = {column: f"images/{field}_{column}.tif" for column in COLUMNS}
        if not all((folder / row[column]).exists() for column in COLUMNS):
            _simulate_field(slide, number, shape, {c: folder / row[c] for c in COLUMNS})
        rows.append({"field": field, "group": slide.name, **row})
    spacing, bits = Microscope().spacing_um, Camera().bits
    write_form(
        folder,
        {
            "name": NAME,
            "title": TITLE,
            "input": "simulated bright-field",
            "target": "simulated nuclear fluorescence",
            "axes": "ZYX",
            "bits": bits,
            "pixel_size_um": spacing[-1],
            "licence": "CC0-1.0",
            "attribution": "simulated by cytopress with the optics of waveorder (BSD-3-Clause)",
            "notes": "Simulated: no microscope was used, and nothing here is evidence about real"
            f" cells. Planes are {spacing[0]} um apart. group = slide: split by group. labels are"
            " nuclei; 0 is background.",
        },
        rows,
    )
    progress(len(wanted), len(wanted), "")


def _simulate_field(
    slide: Slide, number: int, shape: tuple[int, int, int] | None, paths: dict[str, Path]
) -> None:
    from cytopress.phantom.simulate import SHAPE, simulate

    volume = simulate(slide, number, shape=shape or SHAPE)
    images = {
        "input": volume.bright_field,
        "target": volume.fluorescence,
        "labels": Image(volume.nuclei, spacing_um=volume.bright_field.spacing_um, name="nuclei"),
    }
    for column, path in paths.items():
        write(path, [images[column]])
