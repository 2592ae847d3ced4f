"""Folders of images without pairs: one dataset a channel, metadata from the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.datasets.image_folder import FolderOptions, open_image_folder
from cytopress.errors import CytopressWarning, DatasetError, UnknownNameError, UsageError
from cytopress.formats.images import write
from cytopress.image import Image
from fakes.plate import STAINS, cells, write_plate

NAMES = ("r01c01f0{field}-ch{number}.tif", "A01_s{field}_w{number}.tif", "field{field}_{stain}.tif")


@pytest.mark.parametrize("name", NAMES)
def test_a_six_channel_plate_is_six_datasets_of_eight_fields(tmp_path: Path, name: str) -> None:
    found = open_image_folder(write_plate(tmp_path / "plate", name=name, size=16))
    assert len(found.datasets) == 6
    assert {len(one.fields) for one in found.datasets} == {8}
    if "stain" in name:
        assert [one.name for one in found.datasets] == [f"plate/{s}" for s in sorted(STAINS)]
    first = next(one for one in found.datasets if one.input in ("DNA", "w1", "ch1"))
    for number, field in enumerate(first.fields, start=1):
        image = first.read_input(field)
        np.testing.assert_array_equal(image.pixels, cells((number, 0), 16))
    assert {field.part for field in first.fields} == {"test"}
    assert any(note.startswith("6 channels guessed from the names") for note in found.notes)


def ome(path: Path, pixels: np.ndarray, axes: str, **metadata: object) -> None:
    tifffile.imwrite(
        path, pixels, ome=True, metadata={"axes": axes, **metadata}, photometric="minisblack"
    )


def test_channels_of_a_file_are_datasets_with_their_names(tmp_path: Path) -> None:
    pixels = np.arange(3 * 2 * 4 * 5, dtype=np.uint16).reshape(3, 2, 4, 5)
    for number, taken in enumerate(pixels):
        named = {"Name": ["DNA", "ER"]}
        sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "SignificantBits": 12}
        ome(tmp_path / f"f{number}.ome.tif", taken, "CYX", Channel=named, **sizes)
    found = open_image_folder(tmp_path)
    assert [one.input for one in found.datasets] == ["DNA", "ER"]
    for channel, dataset in enumerate(found.datasets):
        assert (dataset.bits, dataset.pixel_size_um) == (12, 0.5)
        for number, field in enumerate(dataset.fields):
            image = dataset.read_input(field)
            np.testing.assert_array_equal(image.pixels, pixels[number, channel])
            assert (field.name, image.bits, image.spacing_um) == (f"f{number}", 12, (0.5, 0.5))
    assert not any("pixel size" in note or "16-bit" in note for note in found.notes)


def test_time_points_and_positions_are_fields(tmp_path: Path) -> None:
    movie = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)
    ome(tmp_path / "a.ome.tif", movie, "TYX")
    ome(tmp_path / "b.ome.tif", movie + 100, "TYX")
    (dataset,) = open_image_folder(tmp_path).datasets
    assert [(one.name, one.group) for one in dataset.fields] == [
        (f"{file},T={time}", file) for file in "ab" for time in range(3)
    ]
    np.testing.assert_array_equal(dataset.read_input(dataset.fields[4]).pixels, movie[1] + 100)
    positions = tmp_path / "positions"
    positions.mkdir()
    with tifffile.TiffWriter(positions / "all.ome.tif", ome=True) as file:
        for number in range(3):
            file.write(movie[0] + number, metadata={"axes": "YX"}, photometric="minisblack")
    (dataset,) = open_image_folder(positions).datasets
    assert [one.group for one in dataset.fields] == ["S=0", "S=1", "S=2"]
    np.testing.assert_array_equal(dataset.read_input(dataset.fields[2]).pixels, movie[0] + 2)


def test_stacks_have_the_spacing_of_their_files(tmp_path: Path) -> None:
    stack = Image(np.ones((3, 4, 5), np.uint16), spacing_um=(2, 0.5, 0.5), bits=10)
    write(tmp_path / "a.tif", [stack])
    (dataset,) = open_image_folder(tmp_path).datasets
    assert dataset.axes == "ZYX"
    assert dataset.read_input(dataset.fields[0]) == stack
    (dataset,) = open_image_folder(tmp_path, FolderOptions(pixel_size_um=0.25, bits=16)).datasets
    image = dataset.read_input(dataset.fields[0])
    assert (image.spacing_um, image.bits) == ((2, 0.25, 0.25), 16)


def test_axes_are_asked_for_in_one_line_and_may_be_given(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((3, 4, 5), np.uint16), photometric="minisblack")
    with pytest.raises(
        DatasetError, match=r"a\.tif: the file does not say .* give them with --axes"
    ):
        open_image_folder(tmp_path)
    (dataset,) = open_image_folder(tmp_path, FolderOptions(axes="ZYX")).datasets
    assert dataset.read_input(dataset.fields[0]).shape == (3, 4, 5)


def test_bits_that_a_file_understates_are_not_believed_but_those_given_are(tmp_path: Path) -> None:
    ome(tmp_path / "a.ome.tif", np.full((4, 5), 5000, np.uint16), "YX", SignificantBits=12)
    (dataset,) = open_image_folder(tmp_path).datasets
    assert dataset.read_input(dataset.fields[0]).bits == 16
    (dataset,) = open_image_folder(tmp_path, FolderOptions(bits=12)).datasets
    with pytest.raises(DatasetError, match=r"5000 does not fit in 12 bits"):
        dataset.read_input(dataset.fields[0])


def test_every_file_that_cannot_be_read_is_a_line(tmp_path: Path) -> None:
    write_plate(tmp_path, fields=(1, 2), stains=("DNA",), size=16)
    (tmp_path / "x1_DNA.tif").write_bytes(b"II*\0 nothing")
    tifffile.imwrite(tmp_path / "x2_DNA.tif", np.ones((4, 5), np.int32))
    with pytest.raises(DatasetError, match="2 of 4 images cannot be read") as caught:
        open_image_folder(tmp_path)
    lines = str(caught.value).splitlines()
    assert [name in line for name, line in zip(("x1", "x2"), lines[1:3], strict=True)] == [True] * 2
    assert "--skip-unreadable" in lines[3]
    found = open_image_folder(tmp_path, FolderOptions(skip_unreadable=True))
    assert [one.name for one in found.datasets[0].fields] == ["field1", "field2"]
    assert sum(note.startswith("left out: ") for note in found.notes) == 2


def test_color_is_found_before_any_pixel_is_coded(tmp_path: Path) -> None:
    color = np.zeros((8, 9, 3), np.uint8)
    color[..., 0] = np.arange(9)
    tifffile.imwrite(tmp_path / "a.tif", color, photometric="rgb")
    tifffile.imwrite(tmp_path / "b.tif", np.ones((8, 9), np.int16))
    with pytest.raises(DatasetError, match="2 of 2 images cannot be read"):
        open_image_folder(tmp_path)
    tifffile.imwrite(tmp_path / "a.tif", np.repeat(color[..., :1], 3, axis=2), photometric="rgb")
    (tmp_path / "b.tif").unlink()
    (dataset,) = open_image_folder(tmp_path).datasets
    with pytest.warns(CytopressWarning, match="read as one gray image"):
        image = dataset.read_input(dataset.fields[0])
    np.testing.assert_array_equal(image.pixels, color[..., 0])


def test_damaged_pixels_are_left_out_too_where_asked_for(tmp_path: Path) -> None:
    write_plate(tmp_path, fields=(1, 2), stains=("DNA",), size=16)
    path = tmp_path / "field2_DNA.tif"
    path.write_bytes(path.read_bytes()[:-200])
    found = open_image_folder(tmp_path, FolderOptions(skip_unreadable=True))
    assert [one.name for one in found.datasets[0].fields] == ["field1"]


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    write_plate(tmp_path, fields=(1, 2, 3), stains=("DNA", "ER"), size=16)
    (tmp_path / "field3_ER.tif").unlink()
    for name in ("field1_DNA_mask.tif", "plate.HTD", "notes.txt", ".DS_Store", "._field1_DNA.tif"):
        (tmp_path / name).write_bytes(b"")
    done = tmp_path / "plate-study"
    done.mkdir()
    (done / "study.sqlite").touch()
    (done / "picture.png").touch()
    notes = open_image_folder(tmp_path).notes
    assert "left out 1 file of labels, overlays or thumbnails, such as field1_DNA_mask.tif" in notes
    assert any(
        note.startswith("left out 2 files of other kinds (.htd, .txt") for note in notes
    ) or ("left out 2 files of other kinds (.txt, .htd)" in notes)
    assert "channel ER has 2 of 3 fields (not field3)" in notes


def test_channels_groups_and_limits_can_be_chosen(tmp_path: Path) -> None:
    write_plate(tmp_path, name="d{field}/z_{stain}_q.tif", fields=(1, 2, 10), size=16)
    options = FolderOptions(channels="z_{channel}_*", only=("ER", "DNA"))
    found = open_image_folder(tmp_path, options).datasets
    assert [(one.input, len(one.fields)) for one in found] == [("ER", 3), ("DNA", 3)]
    assert [one.group for one in found[0].fields] == ["d1", "d2", "d10"]
    options = FolderOptions(groups="{group}/*", limit=1, only=("ER",))
    (dataset,) = open_image_folder(tmp_path, options).datasets
    assert [one.name for one in dataset.fields] == ["d1/z_q", "d2/z_q", "d10/z_q"]
    with pytest.raises(UnknownNameError, match="no channel of these images named 'GFP'"):
        open_image_folder(tmp_path, FolderOptions(only=("GFP",)))


def test_images_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 5), np.uint16))
    tifffile.imwrite(tmp_path / "b.tif", np.ones((4, 5), np.uint8))
    with pytest.raises(DatasetError, match=r"a\.tif is YX of uint16, but b\.tif is YX of uint8"):
        open_image_folder(tmp_path)
    tifffile.imwrite(tmp_path / "b.tif", np.ones((4, 5), np.uint16))
    tifffile.imwrite(tmp_path / "b.tiff", np.ones((4, 5), np.uint16))
    with pytest.raises(UsageError, match=r"b\.tif and .*b\.tiff are both field b of the images"):
        open_image_folder(tmp_path)


def test_folders_without_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no image"):
        open_image_folder(tmp_path)
    with pytest.raises(UsageError, match="there is no such folder"):
        open_image_folder(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        open_image_folder(tmp_path / "file")


def test_formats_of_plugins_are_folders_of_positions_and_channels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ND2 file as bioio describes it; the plugin itself is in no extra."""
    from contextlib import contextmanager

    from cytopress.formats import opening
    from cytopress.formats.scene import Scene

    pixels = np.arange(2 * 2 * 4 * 5, dtype=np.uint16).reshape(2, 1, 2, 1, 4, 5)

    @contextmanager
    def opened(path: Path):  # type: ignore[no-untyped-def]
        spacing = {"Y": 0.65, "X": 0.65}
        yield [
            Scene(
                str(path), one.shape, "TCZYX", one.dtype, one.__getitem__, spacing, ("DAPI", "GFP")
            )
            for one in pixels
        ]

    monkeypatch.setattr(opening, "open_plugin", opened)
    (tmp_path / "plate.nd2").touch()
    found = open_image_folder(tmp_path)
    assert [one.input for one in found.datasets] == ["DAPI", "GFP"]
    gfp = found.datasets[1]
    assert [(one.name, one.group) for one in gfp.fields] == [
        ("plate,S=0", "S=0"),
        ("plate,S=1", "S=1"),
    ]
    image = gfp.read_input(gfp.fields[1])
    np.testing.assert_array_equal(image.pixels, pixels[1, 0, 1, 0])
    assert image.spacing_um == (0.65, 0.65)
