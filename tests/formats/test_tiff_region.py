"""Regions of TIFF pages: the same pixels as of the whole page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cytopress.errors import CytopressError
from cytopress.formats.opening import open_scenes
from cytopress.formats.tiff_region import region_of

REGIONS = [
    (slice(10, 200), slice(130, 300)),
    (slice(0, 64), slice(0, 410)),
    (slice(299, 300), slice(409, 410)),
    (slice(None), slice(None)),
]
FORMS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 32, "compression": "zlib", "predictor": 2},
    "tiles": {"tile": (64, 128), "compression": "lzw"},
    "one strip": {"rowsperstrip": 300},
    "one coded strip": {"rowsperstrip": 300, "compression": "zlib"},
    "big-endian": {"byteorder": ">", "rowsperstrip": 7},
    "ImageJ": {"imagej": True},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_regions_are_those_of_the_plane(tmp_path: Path, form: dict[str, Any]) -> None:
    pixels = np.random.default_rng(0).integers(0, 4000, (3, 300, 410)).astype(np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="minisblack", metadata={"axes": "ZYX"}, **form)
    with open_scenes(path, "ZYX") as scenes:
        for rows, columns in REGIONS:
            found = scenes[0].load((1, rows, columns))
            np.testing.assert_array_equal(found, pixels[1, rows, columns])


def test_a_flat_plane_is_not_read_as_a_whole(tmp_path: Path) -> None:
    pixels = np.arange(300 * 410, dtype=np.uint16).reshape(300, 410)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels)
    with tifffile.TiffFile(path) as file:
        part = region_of(file, [file.pages.first], (slice(3, 5), slice(7, 9)))
    assert part is not None
    assert part.base is None
    assert part.dtype.isnative
    np.testing.assert_array_equal(part, pixels[3:5, 7:9])


def test_a_flat_plane_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((300, 410), np.uint16))
    path.write_bytes(path.read_bytes()[:-100_000])
    with pytest.raises(CytopressError, match="is damaged"), open_scenes(path, None) as scenes:
        scenes[0].load((slice(290, 300), slice(0, 9)))
