"""The two files of a dataset, written from the names of its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.datasets.dataset import open_dataset
from cytopress.datasets.image_folder import FolderOptions
from cytopress.datasets.init_form import init_form
from cytopress.errors import DatasetError, UnknownNameError, UsageError
from fakes.plate import cells, write_plate


def test_pairs_are_guessed_by_their_names(tmp_path: Path) -> None:
    folder = write_plate(
        tmp_path / "plate", stains=("DAPI", "BF"), name="d{field}/x_{stain}.tif", fields=(1, 2)
    )
    paths, notes = init_form(folder)
    assert paths == (folder / "dataset.toml", folder / "pairs.csv")
    assert any("2 groups: the subfolders" in note for note in notes)
    found = open_dataset(folder)
    assert (found.name, found.input, found.target, found.bits) == ("plate", "BF", "DAPI", 16)
    assert [(one.name, one.group, one.part) for one in found.fields] == [
        ("d1/x", "d1", "test"),
        ("d2/x", "d2", "test"),
    ]
    for number, field in enumerate(found.fields, start=1):
        np.testing.assert_array_equal(found.read_input(field).pixels, cells((number, 1)))
        np.testing.assert_array_equal(found.read_target(field).pixels, cells((number, 0)))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = write_plate(tmp_path, stains=("BF", "DAPI"), fields=(1,), size=16)
    (folder / "pairs.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"pairs\.csv: exists already"):
        init_form(folder)
    assert (folder / "pairs.csv").read_text() == "mine"
    assert not (folder / "dataset.toml").exists()


def test_fields_without_a_target_are_left_out_and_named(tmp_path: Path) -> None:
    folder = write_plate(tmp_path, stains=("BF", "DAPI"), fields=(1, 2, 3), size=16)
    (folder / "field2_DAPI.tif").unlink()
    _, notes = init_form(folder)
    assert notes[-1] == "left out, for want of a target: field2"
    assert [one.name for one in open_dataset(folder).fields] == ["field1", "field3"]


def test_one_channel_has_no_target(tmp_path: Path) -> None:
    folder = write_plate(tmp_path / "plate", stains=("DNA",), fields=(1, 2), size=16)
    init_form(folder, options=FolderOptions(pixel_size_um=0.5, bits=14))
    found = open_dataset(folder)
    assert (found.target, found.pixel_size_um, found.bits) == ("", 0.5, 14)
    assert found.read_input(found.fields[0]).spacing_um == (0.5, 0.5)
    for call in (lambda: found.read_target(found.fields[0]), found.target_channel):
        with pytest.raises(DatasetError, match="has no target image"):
            call()
    table = folder / "pairs.csv"
    table.write_text(table.read_text().replace("input", "input,target").replace(".tif", ".tif,x"))
    with pytest.raises(DatasetError, match=r"column target, so dataset\.toml must say"):
        open_dataset(folder)


def test_channels_in_doubt_are_asked_for(tmp_path: Path) -> None:
    folder = write_plate(tmp_path, stains=("BF", "DNA", "ER"), fields=(1,), size=16)
    with pytest.raises(UsageError, match="channels BF, DNA, ER; say which"):
        init_form(folder)
    with pytest.raises(UnknownNameError, match="'GFP'"):
        init_form(folder, input="GFP")
    with pytest.raises(UsageError, match="both BF"):
        init_form(folder, input="BF", target="BF")
    init_form(folder, target="ER", input="DNA")
    assert (open_dataset(folder).input, open_dataset(folder).target) == ("DNA", "ER")


def test_channels_of_one_file_are_selected_in_the_table(tmp_path: Path) -> None:
    pixels = np.arange(2 * 4 * 5, dtype=np.uint16).reshape(2, 4, 5)
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        pixels,
        ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "BF"]}},
        photometric="minisblack",
    )
    init_form(tmp_path)
    found = open_dataset(tmp_path)
    field = found.fields[0]
    np.testing.assert_array_equal(found.read_input(field).pixels, pixels[1])
    np.testing.assert_array_equal(found.read_target(field).pixels, pixels[0])
    assert (field.input_select, field.target_select) == ("C=BF", "C=DAPI")
    np.testing.assert_array_equal(
        found.target_channel().read_input(found.target_channel().fields[0]).pixels, pixels[0]
    )
