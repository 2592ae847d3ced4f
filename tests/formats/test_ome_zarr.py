import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from cytopress.errors import ImageError, UsageError
from cytopress.formats.images import read, read_one

PIXELS = np.random.default_rng(1).integers(0, 4096, (2, 3, 4, 9, 7), dtype=np.uint16)  # TCZYX
AXES: list[dict[str, str]] = [
    {"name": "t", "type": "time", "unit": "second"},
    {"name": "c", "type": "channel"},
    {"name": "z", "type": "space", "unit": "micrometer"},
    {"name": "y", "type": "space", "unit": "nanometer"},
    {"name": "x", "type": "space", "unit": "micrometer"},
]


def write_group(path: Path, version: int, pixels: Any = PIXELS, axes: Any = AXES) -> None:
    """Write an OME-Zarr image of two levels by hand, as the specification says."""
    scale = [3.0, 1.0, 2.0, 250.0, 0.125][-pixels.ndim :]
    group = zarr.open_group(str(path), mode="w", zarr_format=2 if version == 4 else 3)
    for level, step in (("0", 1), ("1", 2)):
        small = pixels[..., ::step, ::step]
        array = group.create_array(level, shape=small.shape, chunks=small.shape, dtype=small.dtype)
        array[...] = small
    facts: dict[str, Any] = {
        "multiscales": [
            {
                "axes": axes,
                "datasets": [
                    {
                        "path": level,
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [*scale[:-1], scale[-1] * factor]}
                        ],
                    }
                    for level, factor in (("0", 1), ("1", 2))
                ],
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1.0] * (pixels.ndim - 1) + [2.0]}
                ],
            }
        ],
    }
    if pixels.ndim > 3:
        facts["omero"] = {"channels": [{"label": name} for name in ("DAPI", "GFP", "BF")]}
    if version == 5:
        facts = {"ome": {"version": "0.5", **facts}}
    group.attrs.update(facts)


@pytest.mark.parametrize("version", [4, 5])
def test_axes_scales_and_channels(tmp_path: Path, version: int) -> None:
    path = tmp_path / "a.ome.zarr"
    write_group(path, version)
    images = read(path)
    assert [image.name for image in images][:4] == ["C=DAPI,T=0", "C=GFP,T=0", "C=BF,T=0",
                                                    "C=DAPI,T=1"]  # fmt: skip
    np.testing.assert_array_equal([image.pixels for image in images], PIXELS.reshape(6, 4, 9, 7))
    assert images[0].spacing_um == (2.0, 0.25, 0.25)
    plane = read_one(path, select={"C": "BF", "T": 1, "Z": 2})
    np.testing.assert_array_equal(plane.pixels, PIXELS[1, 2, 2])


def test_axes_without_units_are_no_micrometers(tmp_path: Path) -> None:
    write_group(tmp_path / "a.zarr", 4, PIXELS[0, 0], [{"name": n, "type": "space"} for n in "zyx"])
    assert read_one(tmp_path / "a.zarr").spacing_um is None


def test_scenes_of_a_collection(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    zarr.open_group(str(path), mode="w", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    for scene in range(2):
        write_group(path / str(scene), 4, PIXELS[scene, 0], AXES[2:])
    assert [image.name for image in read(path)] == ["S=0", "S=1"]
    np.testing.assert_array_equal(read_one(path, select={"S": 1}).pixels, PIXELS[1, 0])


def test_a_plate_says_to_name_a_field(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    zarr.open_group(str(path), mode="w", zarr_format=2).attrs["plate"] = {}
    with pytest.raises(ImageError, match="plate"):
        read(path)


def test_a_bare_array_needs_its_axes_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    zarr.create_array(str(path), data=PIXELS[0, 0], zarr_format=3)
    with pytest.raises(UsageError, match="--axes"):
        read(path)
    np.testing.assert_array_equal(read_one(path, axes="ZYX").pixels, PIXELS[0, 0])


def test_a_group_without_images(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    with pytest.raises(ImageError, match="no OME-Zarr image"):
        read(tmp_path / "a.zarr")


def test_damage_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_group(path, 5, PIXELS[0, 0], AXES[2:])
    (chunk,) = (path / "0" / "c").rglob("0/0/0")
    data = chunk.read_bytes()
    chunk.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match=r"a\.zarr"):
        read(path)
    facts = json.loads((path / "zarr.json").read_text())
    del facts["attributes"]["ome"]["multiscales"][0]["datasets"]
    (path / "zarr.json").write_text(json.dumps(facts))
    with pytest.raises(ImageError, match=r"a\.zarr"):
        read(path)
