""".cyto files as napari's layers, and layers as .cyto files; napari itself is not needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cytopress
from cytopress.errors import ImageError, UsageError
from cytopress.files import channel_codecs, encode_file
from cytopress.napari.reading import get_reader, read_layers
from cytopress.napari.writing import write_layers

RANDOM = np.random.default_rng(3)


def counts(*shape: int, dtype: str = "uint16") -> np.ndarray:
    return RANDOM.integers(0, 250, shape).astype(dtype)


def layer(pixels: object, **metadata: object) -> tuple:
    return pixels, {"name": "cells", **metadata}, "image"


def test_one_image_is_one_layer_with_its_pixel_size(tmp_path: Path) -> None:
    image = cytopress.Image(counts(30, 40), bits=12, spacing_um=(0.3, 0.25))
    path = tmp_path / "one image.cyto"
    path.write_bytes(cytopress.encode(image, "jpegls"))
    reader = get_reader(str(path))
    assert reader is not None
    [(pixels, metadata, kind)] = reader(str(path))
    np.testing.assert_array_equal(pixels, image.pixels)
    assert (kind, metadata["name"], metadata["axis_labels"]) == ("image", "one image", ("y", "x"))
    assert (metadata["scale"], metadata["units"]) == ([0.3, 0.25], ["micrometer"] * 2)
    assert metadata["metadata"]["cytopress"]["bits"] == 12


def test_channels_and_files_become_layers_by_name(tmp_path: Path) -> None:
    images = [cytopress.Image(counts(5, 30, 40), name=name) for name in ("DNA", "ER")]
    cytopress.write(tmp_path / "plate.ome.tif", images)
    path = tmp_path / "plate.cyto"
    encode_file(tmp_path / "plate.ome.tif", path, channel_codecs(["jpegls", "ER=zstd"]))
    found = read_layers([path, str(path)])
    assert [one[1]["name"] for one in found] == ["plate DNA", "plate ER"] * 2
    assert len({one[1]["colormap"] for one in found}) == 2
    for (pixels, metadata, _), image in zip(found, images * 2, strict=True):
        np.testing.assert_array_equal(pixels, image.pixels)
        assert metadata["axis_labels"] == ("z", "y", "x")


@pytest.mark.parametrize("other", ["cells.tif", "cells.ome.zarr", "none.txt"])
def test_other_files_are_left_to_others(tmp_path: Path, other: str) -> None:
    (tmp_path / other).write_bytes(b"II*\0")
    assert get_reader(tmp_path / other) is None
    (tmp_path / "a.cyto").write_bytes(b"")
    assert get_reader([tmp_path / "a.cyto", tmp_path / other]) is None


def test_layers_are_written_losslessly_with_names_and_sizes(tmp_path: Path) -> None:
    units, steps = ("nanometer", "micrometer"), (300, 0.3)
    dna, er = counts(30, 40), counts(30, 40)
    mask = counts(20, 20, dtype="float32")
    layers = [
        layer(dna, name="DNA", scale=steps, units=units),
        layer(er, name="ER", scale=steps, units=units),
        layer(mask, name="probability", scale=(1, 1), units=("pixel", "pixel")),
    ]
    [path] = write_layers(tmp_path / "out.cyto", layers)
    found = cytopress.read(path)
    assert [image.name for image in found] == ["C=DNA,S=0", "C=ER,S=0", "S=1"]
    for image, pixels in zip(found, (dna, er, mask), strict=True):
        np.testing.assert_array_equal(image.pixels, pixels)
        assert image.dtype == pixels.dtype
    assert [image.spacing_um for image in found] == [(0.3, 0.3), (0.3, 0.3), None]


@pytest.mark.parametrize(
    ("shape", "labels", "images"),
    [
        ((1, 1, 1, 30, 40), ("t", "c", "z", "y", "x"), [(30, 40)]),
        ((4, 30, 40), ("-3", "-2", "-1"), [(4, 30, 40)]),
        ((4, 30, 40), ("t", "y", "x"), [(30, 40)] * 4),
        ((3, 2, 30, 40), (), [(2, 30, 40)] * 3),
    ],
)
def test_time_points_and_stacks_come_back(
    tmp_path: Path, shape: tuple, labels: tuple, images: list
) -> None:
    pixels = counts(*shape)
    [path] = write_layers(tmp_path / "out", [layer(pixels, axis_labels=labels)])
    assert path == str(tmp_path / "out.cyto")
    found = cytopress.read(path)
    assert [image.shape for image in found] == images
    np.testing.assert_array_equal(np.stack([one.pixels for one in found]).ravel(), pixels.ravel())
    if len(images) > 1:
        pytest.importorskip("dask.array")
    [(again, metadata, _)] = read_layers(path)
    np.testing.assert_array_equal(np.asarray(again).ravel(), pixels.ravel())
    assert again.ndim == len(metadata["axis_labels"])


def test_the_full_resolution_of_a_pyramid_is_written(tmp_path: Path) -> None:
    pixels = counts(64, 64)
    [path] = write_layers(tmp_path / "a.cyto", [layer([pixels, pixels[::2, ::2]], multiscale=True)])
    np.testing.assert_array_equal(cytopress.read(path)[0].pixels, pixels)


@pytest.mark.parametrize(
    ("data", "metadata", "kind", "sentence"),
    [
        (counts(9, 9, 3), {"rgb": True}, UsageError, "cells: has color"),
        (counts(2, 2, 2, 9, 9), {}, UsageError, "has 5 dimensions"),
        (counts(9), {}, UsageError, "has 1 dimensions"),
        (counts(9, 9, dtype="int64"), {}, ImageError, "not int64"),
        (np.full((9, 9), np.nan, np.float32), {}, ImageError, "NaN"),
    ],
)
def test_what_a_file_cannot_hold_is_refused_and_nothing_is_left(
    tmp_path: Path, data: np.ndarray, metadata: dict, kind: type, sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        write_layers(tmp_path / "out.cyto", [layer(counts(9, 9)), layer(data, **metadata)])
    assert not list(tmp_path.iterdir())
