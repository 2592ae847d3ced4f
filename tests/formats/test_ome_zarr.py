import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from cytopress.errors import CytopressWarning, ImageError, UsageError
from cytopress.formats.images import read, read_labels, read_one

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
    with pytest.warns(CytopressWarning, match="the scale of Z, 2, has no unit"):
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


def write_planes(path: Path, version: int = 4) -> list[Path]:
    """Write a stack with a chunk for each plane, and return the chunks' files."""
    group = zarr.open_group(str(path), mode="w", zarr_format=2 if version == 4 else 3)
    group.create_array("0", data=PIXELS[0, 0], chunks=(1, 9, 7))
    scale = [{"type": "scale", "scale": [2.0, 250.0, 0.25]}]
    levels = [{"path": "0", "coordinateTransformations": scale}]
    facts = {"multiscales": [{"axes": AXES[2:], "datasets": levels}]}
    group.attrs.update(facts if version == 4 else {"ome": {"version": "0.5", **facts}})
    files = (path / "0").rglob("*")
    return sorted(one for one in files if one.is_file() and "z" not in one.name)


@pytest.mark.parametrize("version", [4, 5])
def test_missing_chunks_are_said_and_a_missing_plane_of_a_dataset_is_an_error(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / "a.zarr"
    chunks = write_planes(path, version)
    assert len(chunks) == 4
    for chunk in chunks[:2]:
        chunk.unlink()
    with pytest.warns(CytopressWarning, match="2 of 4 chunks are missing"):
        image = read_one(path)
    np.testing.assert_array_equal(image.pixels[2:], PIXELS[0, 0, 2:])
    with pytest.raises(ImageError, match="2 of 4 planes have no chunk"):
        read_one(path, of_dataset=True)
    # Planes without objects are common in labels.
    with pytest.warns(CytopressWarning, match="2 of 4 chunks are missing"):
        assert read_labels(path).shape == (4, 9, 7)
    whole = read_one(path, select={"Z": 2}, of_dataset=True)
    np.testing.assert_array_equal(whole.pixels, PIXELS[0, 0, 2])


@pytest.mark.parametrize("version", [4, 5])
def test_an_array_without_any_chunk_is_an_error_and_not_zeros(tmp_path: Path, version: int) -> None:
    first, *others = write_planes(tmp_path / "a.zarr", version)
    # A copy that was interrupted may leave a file without bytes.
    first.write_bytes(b"")
    for chunk in others:
        chunk.unlink()
    with pytest.raises(ImageError, match="no chunk of the array '0'"):
        read(tmp_path / "a.zarr")


def test_an_array_of_shards_needs_those(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    zarr.create_array(str(path), data=PIXELS[0, 0], chunks=(1, 9, 7), shards=(2, 9, 7))
    np.testing.assert_array_equal(read_one(path, axes="ZYX").pixels, PIXELS[0, 0])
    (path / "c/1/0/0").unlink()
    with pytest.warns(CytopressWarning, match="1 of 2 chunks are missing"):
        read_one(path, axes="ZYX")
    with pytest.raises(ImageError, match="1 of 2 planes"):
        read_one(path, axes="ZYX", of_dataset=True)


def test_names_for_another_number_of_channels_are_not_used(tmp_path: Path) -> None:
    write_group(tmp_path / "a.zarr", 4, PIXELS[:, :2])
    with pytest.warns(CytopressWarning, match="number of channel names, 3, is not that of the"):
        names = [image.name for image in read(tmp_path / "a.zarr", select={"T": 0})]
    assert names == ["C=0,T=0", "C=1,T=0"]


def test_chunks_under_other_names_than_the_metadata_say(tmp_path: Path) -> None:
    write_planes(tmp_path / "a.zarr")
    metadata = tmp_path / "a.zarr/0/.zarray"
    facts = json.loads(metadata.read_text())
    other = {"/": ".", ".": "/"}[facts.get("dimension_separator", ".")]
    metadata.write_text(json.dumps({**facts, "dimension_separator": other}))
    with pytest.raises(ImageError, match="dimension_separator"):
        read(tmp_path / "a.zarr")


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    write_planes(tmp_path / "a.zarr")
    shutil.rmtree(tmp_path / "a.zarr/0")
    with pytest.raises(ImageError, match="name the array '0', which is not there"):
        read(tmp_path / "a.zarr")


def test_no_scale_is_no_micrometer(tmp_path: Path) -> None:
    write_planes(tmp_path / "a.zarr")
    attributes = tmp_path / "a.zarr/.zattrs"
    facts = json.loads(attributes.read_text())
    del facts["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    attributes.write_text(json.dumps(facts))
    assert read_one(tmp_path / "a.zarr").spacing_um is None
