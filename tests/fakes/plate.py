"""A made plate: bright round cells with a camera's noise, one TIFF a field and stain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

STAINS = ("DNA", "ER", "RNA", "AGP", "Mito", "Brightfield")


def cells(seed: Sequence[int], size: int = 64) -> npt.NDArray[Any]:
    """Return a field of a few cells on a dark background, in counts of 16 bits."""
    random = np.random.default_rng(list(seed))
    y, x = np.mgrid[:size, :size]
    light = np.full((size, size), 100.0)
    for row in range(2):
        for column in range(2):
            cy, cx = (size * (0.25 + 0.5 * k) + random.uniform(-4, 4) for k in (row, column))
            light += 3000 * np.exp(
                -((y - cy) ** 2 + (x - cx) ** 2) / (2 * random.uniform(4, 6) ** 2)
            )
    return random.poisson(light).astype(np.uint16)


def metadata(stain: str, field: int) -> dict[str, Any]:
    """Return what a microscope says of an image, as tifffile takes it."""
    return {
        "axes": "YX",
        "AcquisitionDate": "2024-03-05T06:07:08",
        "PhysicalSizeX": 0.65,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.65,
        "PhysicalSizeYUnit": "µm",
        "Channel": {"Name": [stain], "EmissionWavelength": [461.0]},
        "Plane": {"ExposureTime": [0.02], "PositionX": [100.5 * field]},
    }


def write_plate(
    folder: Path,
    *,
    fields: Sequence[int] = range(1, 9),
    stains: Sequence[str] = STAINS,
    name: str = "field{field}_{stain}.tif",
    size: int = 64,
    described: bool = False,
) -> Path:
    """Write the images of a plate; the same field and stain have the same pixels anywhere.

    Those ``described`` have OME metadata: channel, wavelength, exposure, stage, date, pixel size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for field in fields:
        for number, stain in enumerate(stains):
            path = folder / name.format(field=field, stain=stain, number=number + 1)
            path.parent.mkdir(parents=True, exist_ok=True)
            options = {"ome": True, "metadata": metadata(stain, field)} if described else {}
            tifffile.imwrite(path, cells((field, number), size), **options)
    return folder
