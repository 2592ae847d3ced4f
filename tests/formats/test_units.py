from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cytopress import decode, encode
from cytopress.errors import CytopressWarning
from cytopress.formats.images import read, read_one, write
from cytopress.formats.units import in_micrometers

STACK = np.random.default_rng(1).integers(0, 4096, (5, 9, 7), dtype=np.uint16)


@pytest.mark.parametrize(
    ("unit", "micrometers"),
    [
        ("nm", 1e-3), ("\u00b5m", 1), ("\u03bcm", 1), ("um", 1), ("\\u00B5m", 1), (" um ", 1),
        ("Micron", 1), ("micrometre", 1), ("nanometres", 1e-3), ("\u00c5", 1e-4), ("mm", 1e3),
        ("Mm", 1e12), ("dm", 1e5), ("decimetre", 1e5), ("in", 25400), ("inch", 25400),
        ("thou", 25.4), ("ft", 304800), ("foot", 304800), ("yd", 914400), ("mi", 1609344000),
        ("pt", 25400 / 72), ("li", 25400 / 12), ("metre", 1e6),
    ],
)  # fmt: skip
def test_units_of_length(unit: str, micrometers: float) -> None:
    assert in_micrometers(2, unit) == pytest.approx(2 * micrometers)


@pytest.mark.parametrize("unit", [None, "", " ", "pixel", "reference frame", "A", "second", "MM"])
def test_units_that_are_no_length(unit: str | None) -> None:
    assert in_micrometers(2, unit) is None


def imagej(path: Path, pixels: Any = STACK, **metadata: Any) -> Path:
    axes = "ZYX"[-pixels.ndim :]
    metadata = {"axes": axes, "unit": "um", **metadata}
    tifffile.imwrite(path, pixels, imagej=True, resolution=(10.0, 4.0), metadata=metadata)
    return path


def test_imagej_gives_each_axis_its_unit(tmp_path: Path) -> None:
    path = imagej(tmp_path / "a.tif", spacing=300.0, zunit="nm", yunit="mm")
    assert read_one(path).spacing_um == pytest.approx((0.3, 250.0, 0.1))


@pytest.mark.parametrize("axis", ["yunit", "zunit"])
def test_an_axis_in_pixels_is_not_in_micrometers(tmp_path: Path, axis: str) -> None:
    path = imagej(tmp_path / "a.tif", spacing=0.3, **{axis: "pixel"})
    known = {"yunit": (0.3, None, 0.1), "zunit": (None, 0.25, 0.1)}
    with pytest.warns(CytopressWarning, match=f"but not {axis[0].upper()}"):
        assert read_one(path).spacing_um == known[axis]


def test_imagej_leaves_out_a_distance_of_one(tmp_path: Path) -> None:
    with pytest.warns(CytopressWarning, match="it is read as 1 um"):
        assert read_one(imagej(tmp_path / "a.tif")).spacing_um == (1.0, 0.25, 0.1)
    # A plane has none.
    assert read_one(imagej(tmp_path / "a.tif", STACK[0])).spacing_um == (0.25, 0.1)


def test_an_unknown_unit_is_said(tmp_path: Path) -> None:
    with pytest.warns(CytopressWarning, match="the unit of Y, 'furlong', is no known unit"):
        read_one(imagej(tmp_path / "a.tif", STACK[0], unit="furlong"))


@pytest.mark.parametrize("size", ["0,65", "0.0", "NaN", "-1"])
def test_a_size_that_is_no_positive_number_is_said(tmp_path: Path, size: str) -> None:
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size}
    tifffile.imwrite(path, STACK[0], metadata=metadata)
    with pytest.warns(CytopressWarning, match=f"pixel along Y, {size}, is no positive number"):
        assert read_one(path).spacing_um is None


def test_a_stack_whose_metadata_lack_one_axis_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, STACK, metadata={"axes": "ZYX", "PhysicalSizeX": 0.1, "PhysicalSizeY": 0.1}
    )
    with pytest.warns(CytopressWarning, match="known along Y and X but not Z"):
        stack = read_one(path)
    assert stack.spacing_um == (None, 0.1, 0.1)
    # It goes into coded bytes and back into OME-TIFF.
    decoded = decode(encode(stack, "zstd"))
    write(tmp_path / "b.ome.tif", [decoded])
    with tifffile.TiffFile(tmp_path / "b.ome.tif") as tif:
        assert "PhysicalSizeX" in tif.ome_metadata
        assert "PhysicalSizeZ" not in tif.ome_metadata
    with pytest.warns(CytopressWarning, match="known along Y and X but not Z"):
        assert read_one(tmp_path / "b.ome.tif") == stack
    assert read_one(path, select={"Z": 1}).spacing_um == (0.1, 0.1)


def test_metadata_of_a_vendor_that_are_not_read_are_said(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, STACK[0], metadata=None, software="MetaSeries", description="<MetaData>x</MetaData>"
    )
    with pytest.warns(CytopressWarning, match="metadata in the form of metaseries are not read"):
        assert read_one(path).spacing_um is None


@pytest.mark.parametrize("names", [["DAPI", "DAPI", "x"], ["a,b", "c", "d=e"], ["2", "b", "c"]])
def test_channel_names_that_cannot_select_are_said(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "CYX", "Channel": {"Name": names}}
    tifffile.imwrite(path, STACK[:3], metadata=metadata)
    with pytest.warns(CytopressWarning, match=f"named '{names[0]}'.* selected by their number"):
        assert read(path)[0].name == "C=0"
