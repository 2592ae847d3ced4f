"""An ImageJ hyperstack, and a stand-in for bioio with the plugin of a vendor's format."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fakes.ome_files import CHANNELS, HEIGHT, TIMES, WIDTH, six_channels

PIXELS = np.random.default_rng(1).integers(0, 4000, (3, 4, 2, 9, 7)).astype(np.uint16)  # TZCYX


def ramp(red: int, green: int, blue: int) -> np.ndarray:
    return np.outer((red, green, blue), np.arange(256) / 255).round().astype(np.uint8)


def write_hyperstack(path: Path, **changed: Any) -> None:
    import tifffile

    metadata = {
        "axes": "TZCYX", "unit": "um", "spacing": 0.7, "finterval": 12.5, "mode": "composite",
        "Labels": ["DNA", "actin"] * 12, "LUTs": [ramp(0, 0, 255), ramp(255, 128, 0)],
        "Ranges": (0.0, 100.0, 5.0, 3000.0), "Info": "Objective = 40x\nUser = Löfgren",
    }  # fmt: skip
    tifffile.imwrite(path, PIXELS, imagej=True, resolution=(1 / 0.3, 1 / 0.25),
                     metadata=metadata | changed)  # fmt: skip


class Microscope:
    """Stand-in for bioio with the plugin of a vendor's format: two positions of six channels."""

    scenes = ("XYPos:0", "XYPos:1")
    shape = (TIMES, len(CHANNELS), 1, HEIGHT, WIDTH)
    dims = SimpleNamespace(order="TCZYX")
    dtype = np.dtype(np.uint16)
    physical_pixel_sizes = SimpleNamespace(Z=None, Y=0.598, X=0.598)
    channel_names = CHANNELS
    reader = object()
    asked = 0
    standard_metadata = SimpleNamespace(
        imaging_datetime=datetime(2024, 3, 5, 6, 7, 8),  # noqa: DTZ001 - as microscopes have it
        timelapse_interval=timedelta(seconds=60),
        stage_position_x=100.5,
        stage_position_y=-7.25,
        objective="Plan Apo 20x",
        imaged_by="Ada",
        binning="1x1",
        row=None,
    )

    def __init__(self, path: Path) -> None:
        self.number = 0

    def set_scene(self, scene: int) -> None:
        self.number = scene

    @property
    def ome_metadata(self) -> Any:
        type(self).asked += 1
        return SimpleNamespace(to_xml=lambda: six_channels(2))

    @property
    def dask_data(self) -> Any:
        return Lazy(np.full(self.shape, self.number, np.uint16))


class Lazy:
    """Stand-in for a dask array."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    def __getitem__(self, index: Any) -> Any:
        return SimpleNamespace(compute=lambda: self.pixels[index])


def use(monkeypatch: pytest.MonkeyPatch, kind: type, folder: Path) -> Path:
    base = SimpleNamespace(UnsupportedFileFormatError=KeyError)
    monkeypatch.setitem(sys.modules, "bioio", SimpleNamespace(BioImage=kind))
    monkeypatch.setitem(sys.modules, "bioio_base", SimpleNamespace(exceptions=base))
    monkeypatch.setitem(sys.modules, "bioio_base.exceptions", base)
    (folder / "a.nd2").touch()
    return folder / "a.nd2"
