"""Wells in the names of files."""

from __future__ import annotations

import pytest

from cytopress.archive.wells import Placed, placed
from cytopress.errors import UsageError


@pytest.mark.parametrize(
    ("name", "well"),
    [
        ("x_A01_s1.tif", "in.ome.zarr/A/1"),
        ("r02c11f03p01-ch1sk1.tiff", "in.ome.zarr/B/11"),
        ("first/A01/pic.tif", "first.ome.zarr/A/1"),
        ("deep/plate B02/P24_x.ome.tif", "deep/plate B02.ome.zarr/P/24"),
    ],
)
def test_the_last_well_of_a_path_counts(name: str, well: str) -> None:
    (found,) = placed([name], "in")
    assert found.well == well


def test_fields_are_in_the_order_of_their_numbers() -> None:
    names = [f"A01_s{site}_{stain}.tif" for site in (10, 2) for stain in ("DAPI", "GFP")]
    assert placed(names, "in") == [
        Placed("in.ome.zarr/A/1", ("A01_s2_DAPI.tif", "A01_s2_GFP.tif"), ("DAPI", "GFP")),
        Placed("in.ome.zarr/A/1", ("A01_s10_DAPI.tif", "A01_s10_GFP.tif"), ("DAPI", "GFP")),
    ]


def test_two_files_of_one_channel_are_refused() -> None:
    with pytest.raises(UsageError, match="one channel of a field"):
        placed(["A01_s1_DAPI.tif", "A01_s1_DAPI.png"], "in")
