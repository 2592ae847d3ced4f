"""Sources of archives, written with tifffile and zarr: a plate, labels, time series, stacks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr

ROWS, COLUMNS = 150, 130
WELLS = ("A/1", "A/2", "B/1", "B/2")
AXES = {
    "t": {"name": "t", "type": "time", "unit": "second"},
    "c": {"name": "c", "type": "channel"},
    **{name: {"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"},
}


def counts(*front: int, seed: int = 0) -> np.ndarray:
    """Return 12-bit counts (..., Y, X): smooth, with noise."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    light = np.broadcast_to(
        900 + 300 * np.sin(x / 9 + seed) * np.cos(y / 7), (*front, ROWS, COLUMNS)
    )
    return np.random.default_rng(seed).normal(light, 9).clip(1, 4095).astype(np.uint16)


def disks(dtype: str = "uint16", step: int = 1) -> np.ndarray:
    """Return labels (Y, X): disks of one number each."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    inside = (x % 40 - 20) ** 2 + (y % 40 - 20) ** 2 < 200
    return ((x // 40 + y // 40 * 4 + 1) * inside * step).astype(dtype)


def multiscale(axes: str, scale: Sequence[float], **more: Any) -> list[dict[str, Any]]:
    """Return the metadata of an image of one resolution."""
    steps = [{"type": "scale", "scale": list(scale)}, *more.pop("steps", ())]
    datasets = [{"path": "0", "coordinateTransformations": steps}]
    return [{"name": "made", "axes": [AXES[one] for one in axes], "datasets": datasets, **more}]


def write_v04(path: Path, *, labels: np.ndarray) -> np.ndarray:
    """Write an OME-Zarr 0.4 image (C, Z, Y, X) with attributes, labels and a table."""
    pixels = np.stack([counts(3, seed=seed) for seed in range(2)])
    shift = [{"type": "translation", "translation": [0, 0, 10, 20]}]
    group = zarr.create_group(str(path), zarr_format=2)
    _array(group, pixels, (1, 1, 64, 64))
    channel = {
        "label": "DNA", "color": "00FFAA", "active": False, "emissionWave": 461,
        "window": {"min": 0, "max": 4095, "start": 500, "end": 1500},
    }  # fmt: skip
    group.attrs.update(
        {
            "multiscales": multiscale("czyx", [1, 0.5, 0.2, 0.2], version="0.4", steps=shift),
            "omero": {"id": 3, "channels": [channel, channel | {"label": "ER"}]},
            "laboratory": {"notebook": 7},
        }
    )
    group.create_group("tables")
    parent = group.create_group("labels")
    parent.attrs["labels"] = ["nuclei"]
    nuclei = parent.create_group("nuclei")
    _array(nuclei, np.stack([labels] * 3), (1, 64, 64))
    nuclei.attrs.update(
        {
            "multiscales": multiscale("zyx", [0.5, 0.2, 0.2], version="0.4"),
            "image-label": {"version": "0.4", "colors": [{"label-value": 1, "rgba": [9, 8, 7, 6]}]},
        }
    )
    return pixels


def write_plate(path: Path) -> list[np.ndarray]:
    """Write an OME-Zarr 0.5 plate of 2 x 2 wells with labels, which are empty in the first."""
    definition = {
        "name": "screen 7",
        "acquisitions": [{"id": 0, "name": "first", "starttime": 1700000000}],
        "columns": [{"name": "1"}, {"name": "2"}],
        "rows": [{"name": "A"}, {"name": "B"}],
        "wells": [
            {"path": well, "rowIndex": at // 2, "columnIndex": at % 2}
            for at, well in enumerate(WELLS)
        ],
    }
    _group(path, {"plate": definition})
    fields = [counts(1, seed=seed) for seed in range(4)]
    for at, well in enumerate(WELLS):
        _group(path / well, {"well": {"images": [{"path": "0", "acquisition": 0}]}})
        field = _group(path / well / "0", {"multiscales": multiscale("cyx", [1, 0.3, 0.3])})
        _array(field, fields[at], (1, 64, 64))
        _group(path / well / "0/labels", {"labels": ["cells"]})
        about = {"multiscales": multiscale("yx", [0.3, 0.3]), "image-label": {}}
        cells = _group(path / well / "0/labels/cells", about)
        _array(cells, disks() * (at > 0), (64, 64))
    return fields


def write_series(path: Path) -> np.ndarray:
    """Write an OME-TIFF (T, C, Y, X) in strips, with colors, wavelengths and a date."""
    pixels = np.stack([counts(2, seed=seed) for seed in range(4)])
    metadata = {
        "axes": "TCYX", "SignificantBits": 12, "TimeIncrement": 30.0, "TimeIncrementUnit": "s",
        "PhysicalSizeX": 0.3, "PhysicalSizeY": 0.3, "AcquisitionDate": "2026-01-02T03:04:05",
        "Channel": {
            "Name": ["DNA", "ER"], "Color": [65535, -16776961], "EmissionWavelength": [461, 520],
            "EmissionWavelengthUnit": ["nm", "nm"],
        },
    }  # fmt: skip
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata=metadata,
                     compression="zlib", rowsperstrip=16)  # fmt: skip
    return pixels


def write_stack(path: Path, planes: int) -> np.ndarray:
    """Write an ImageJ stack (Z, Y, X)."""
    pixels = counts(planes)
    metadata = {"axes": "ZYX", "spacing": 0.3, "unit": "um"}
    tifffile.imwrite(path, pixels, imagej=True, resolution=(1 / 0.3, 1 / 0.3), metadata=metadata)
    return pixels


def _group(path: Path, ome: dict[str, Any]) -> zarr.Group:
    return zarr.create_group(str(path), attributes={"ome": {"version": "0.5", **ome}})


def _array(group: zarr.Group, pixels: np.ndarray, chunks: tuple[int, ...]) -> None:
    separator = {"name": "v2" if group.metadata.zarr_format == 2 else "default", "separator": "/"}
    array = group.create_array(
        "0", shape=pixels.shape, chunks=chunks, dtype=pixels.dtype, chunk_key_encoding=separator
    )
    array[:] = pixels
