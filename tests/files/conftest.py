"""Files of several channels, times and scenes, small enough to code them with every codec."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile


@pytest.fixture
def hyperstack(tmp_path: Path) -> Path:
    """Write 2 time points, 2 channels and 3 planes of 40 x 56 pixels of 12 bits, OME-TIFF."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:40, :56]
    light = 200 + 2500 * np.exp(-((y - 20) ** 2 + (x - 30) ** 2) / 90)
    pixels = light + rng.normal(0, 12, (2, 2, 3, 40, 56))
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(
        path,
        np.clip(pixels, 0, 4095).astype(np.uint16),
        ome=True,
        photometric="minisblack",
        metadata={
            "axes": "TCZYX",
            "SignificantBits": 12,
            "PhysicalSizeX": 0.1,
            "PhysicalSizeY": 0.1,
            "PhysicalSizeZ": 0.3,
            "TimeIncrement": 60.0,
            "Channel": {"Name": ["DNA", "ER"], "ExcitationWavelength": [405, 488]},
        },
    )
    return path
