"""A small fake of the bucket that holds the hiPSC data: its table and a few stacks."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

COLUMNS = ("CellId", "structure_name", "FOVId", "PlateId", "WellId", "fov_path", "fov_seg_path",
           "ChannelNumberBrightfield", "ChannelNumberStruct", "ChannelNumber405")  # fmt: skip


def row(
    cell: int, line: str, field: int, plate: str, brightfield: str, structure: str
) -> dict[str, str]:
    """Return one row of the table: one cell of a field of view."""
    return {
        "CellId": str(cell),
        "structure_name": line,
        "FOVId": str(field),
        "PlateId": plate,
        "WellId": "7",
        "fov_path": f"fov_path/{field}_stack.ome.tiff",
        "fov_seg_path": "fov_seg_path/x.ome.tiff",
        "ChannelNumberBrightfield": brightfield,
        "ChannelNumberStruct": structure,
        "ChannelNumber405": "0",
    }


def write_table(folder: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write the table of cells."""
    with (folder / "metadata.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def write_bucket(folder: Path) -> dict[int, np.ndarray[Any, Any]]:
    """Write the bucket into a folder; return its stacks (C, Z, Y, X) by FOVId."""
    write_table(
        folder,
        [
            row(1, "FBL", 30, "3500", "3", "1"),
            row(2, "FBL", 30, "3500", "3", "1"),
            row(3, "NPM1", 40, "3501", "2", "1"),
            # Another order of channels, and numbers as pandas may write them.
            row(4, "FBL", 20, "3502.0", "0.0", "2.0"),
            row(5, "FBL", 10, "3500", "3", "1"),
        ],
    )
    (folder / "fov_path").mkdir()
    random = np.random.default_rng(5)
    found = {}
    for field, planes in ((30, 5), (40, 4), (20, 6), (10, 1)):
        pixels = random.integers(0, 65535, (4, planes, 8, 9), dtype=np.uint16)
        tifffile.imwrite(
            folder / f"fov_path/{field}_stack.ome.tiff",
            pixels,
            metadata={
                "axes": "CZYX",
                "PhysicalSizeX": 99.0,
                "PhysicalSizeY": 99.0,
                "PhysicalSizeZ": 99.0,
            },
        )
        found[field] = pixels
    return found
