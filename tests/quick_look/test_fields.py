"""Which planes a quick look reads from files and folders."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

import cytopress
from cytopress.errors import CytopressWarning, DatasetError, ImageError, UsageError
from cytopress.image import Image
from cytopress.quick_look.fields import MOST_FIELDS, find_channels


def plane(value):
    return Image(np.full((40, 48), value, np.uint16))


def write(path, *values):
    path.parent.mkdir(parents=True, exist_ok=True)
    cytopress.write(path, [plane(value) for value in values])
    return path


def test_one_image_is_one_channel_without_a_name(tmp_path):
    found = find_channels(write(tmp_path / "a.tif", 7))
    assert list(found) == [""]
    [source] = found[""]
    assert source.read() == plane(7)
    assert source.which == ""


def test_each_channel_of_a_file_is_found_by_its_name(tmp_path):
    path = tmp_path / "cells.ome.tif"
    pixels = np.stack([plane(3).pixels, plane(5).pixels])
    tifffile.imwrite(
        path, pixels, ome=True, metadata={"axes": "CYX", "Channel": {"Name": ["DNA", "ER"]}}
    )
    found = find_channels(path)
    assert {name: int(one[0].read().pixels[0, 0]) for name, one in found.items()} == {
        "DNA": 3,
        "ER": 5,
    }
    assert list(find_channels(path, select={"C": "ER"})) == [""]
    with pytest.raises(UsageError, match="there is no C=GFP"):
        find_channels(path, select={"C": "GFP"})


def test_of_a_stack_the_middle_plane_and_of_times_the_first_are_read(tmp_path):
    path = tmp_path / "movie.ome.tif"
    pixels = np.zeros((2, 5, 40, 48), np.uint16) + np.arange(10, dtype=np.uint16).reshape(
        2, 5, 1, 1
    )
    tifffile.imwrite(path, pixels, ome=True, metadata={"axes": "TZYX"})
    [[source]] = find_channels(path).values()
    assert source.read() == plane(2)
    assert source.which == "time 0 of 0 to 1, plane 2 of 0 to 4"
    [[chosen]] = find_channels(path, select={"T": 1, "Z": 4}).values()
    assert chosen.read() == plane(9)


def test_files_of_a_folder_are_fields_of_one_kind(tmp_path):
    for number in range(3):
        write(tmp_path / "sub" / f"field{number}.tif", number)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden.tif").write_text("no image")
    with pytest.warns(CytopressWarning, match="left out 1 file of other kinds"):
        found = find_channels(tmp_path)
    assert [source.path.name for source in found[""]] == ["field0.tif", "field1.tif", "field2.tif"]


@pytest.mark.parametrize(
    ("names", "channels"),
    [
        (["A01_f1_DNA", "A01_f1_ER", "B02_f1_DNA", "B02_f1_ER"], ["DNA", "ER"]),
        (["r01c01-ch1", "r01c01-ch2", "r01c02-ch1", "r01c02-ch2"], ["ch1", "ch2"]),
        (["1_BF", "1_DAPI", "2_BF", "2_DAPI", "3_BF", "3_DAPI"], ["BF", "DAPI"]),
        # Names of fields are no channels.
        (["mouse_one", "mouse_two", "mouse_three"], [""]),
        (["a1", "a2", "b1"], [""]),
    ],
)
def test_channels_are_told_from_the_names_of_files(tmp_path, names, channels):
    for name in names:
        write(tmp_path / f"{name}.tif", 1)
    assert sorted(find_channels(tmp_path)) == channels


def test_a_pattern_says_which_part_of_a_name_is_the_channel(tmp_path):
    for name in ("x1-one", "x1-two", "x2-one", "x2-two"):
        write(tmp_path / f"{name}.tif", 1)
    assert list(find_channels(tmp_path)) == [""]
    assert sorted(find_channels(tmp_path, pattern="*-{channel}")) == ["one", "two"]


def test_many_fields_are_sampled_from_first_to_last(tmp_path):
    for number in range(40):
        write(tmp_path / f"{number:02}.tif", number)
    names = [source.path.stem for source in find_channels(tmp_path)[""]]
    assert len(names) == len(set(names)) == MOST_FIELDS
    assert names[0] == "00"
    assert int(names[-1]) >= 36


def test_what_is_no_image_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such file or folder"):
        find_channels(tmp_path / "nothing.tif")
    with pytest.raises(DatasetError, match="there is no image"):
        find_channels(tmp_path)
    color = tmp_path / "slide.tif"
    rng = np.random.default_rng(0)
    tifffile.imwrite(color, rng.integers(0, 255, (40, 48, 3), np.uint8), photometric="rgb")
    [source] = find_channels(color)[""]
    with pytest.raises(ImageError, match="color"):
        source.read()
