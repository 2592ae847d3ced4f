import numpy as np
import pytest
import tifffile
import zarr

from cytopress.datasets.dataset import open_dataset
from cytopress.errors import CytopressWarning, DatasetError
from cytopress.formats.images import read, write
from cytopress.image import Image


def test_the_folder_says_what_its_files_are(make_dataset) -> None:
    folder = make_dataset()
    found = open_dataset(folder)
    assert [(f.name, f.group, f.part) for f in found.fields] == [
        ("a", "one", "test"),
        ("b", "two", "test"),
    ]
    image = found.read_input(found.fields[0])
    np.testing.assert_array_equal(image.pixels, tifffile.imread(folder / "images/a_input.tif"))
    assert (image.bits, image.spacing_um, image.name) == (12, (0.5, 0.5), "a")
    # The bits are the inputs'.
    assert found.read_target(found.fields[0]).bits == 16


def test_without_a_pixel_size_nothing_is_in_micrometers(make_dataset) -> None:
    folder = make_dataset()
    text = (folder / "dataset.toml").read_text()
    (folder / "dataset.toml").write_text(text.replace("pixel_size_um = 0.5\n", ""))
    write(folder / "images/a_input.tif", [Image(np.ones((5, 7), np.uint16), spacing_um=(3, 3))])
    found = open_dataset(folder)
    assert found.pixel_size_um is None
    assert found.read_input(found.fields[0]).spacing_um is None


def test_stacks_keep_the_distance_of_their_planes(make_dataset) -> None:
    folder = make_dataset(axes="ZYX")
    for column in ("input", "target"):
        image = Image(np.ones((1, 5, 7), np.uint16), spacing_um=(2, 3, 3))
        write(folder / f"images/a_{column}.tif", [image])
    found = open_dataset(folder)
    image = found.read_input(found.fields[0])
    assert image.shape == (1, 5, 7)
    assert image.spacing_um == (2, 0.5, 0.5)
    assert found.read_target(found.fields[0]).axes == "ZYX"


def test_stacks_of_unknown_distance_are_read_and_said(make_dataset) -> None:
    folder = make_dataset(axes="ZYX")
    for column in ("input", "target"):
        write(folder / f"images/a_{column}.tif", [Image(np.ones((4, 5, 7), np.uint16))])
    found = open_dataset(folder)
    with pytest.warns(CytopressWarning, match=r"a_input.*distance of its planes is unknown"):
        image = found.read_input(found.fields[0])
    assert image.shape == (4, 5, 7)
    assert image.spacing_um == (None, 0.5, 0.5)


def test_time_is_no_depth(make_dataset) -> None:
    folder = make_dataset(axes="ZYX", pixel_size_um=None)
    movie = np.arange(4 * 5 * 7, dtype=np.uint16).reshape(4, 5, 7)
    path = folder / "images/a_input.tif"
    tifffile.imwrite(path, movie, ome=True, metadata={"axes": "TYX"}, photometric="minisblack")
    found = open_dataset(folder)
    with pytest.warns(CytopressWarning, match="4 planes are time points"):
        np.testing.assert_array_equal(found.read_input(found.fields[0]).pixels, movie)
    pixels = np.stack([movie, movie])
    tifffile.imwrite(path, pixels, ome=True, metadata={"axes": "TZYX"}, photometric="minisblack")
    with pytest.raises(DatasetError, match="time series: write each time point"):
        found.read_input(found.fields[0])


def test_a_plane_in_a_dataset_of_stacks_is_a_stack_of_one(make_dataset) -> None:
    folder = make_dataset(axes="ZYX", pixel_size_um=None)
    found = open_dataset(folder)
    field = found.fields[0]
    plain = tifffile.imread(field.input)
    assert found.read_input(field).shape == found.read_target(field).shape == (1, 5, 7)
    np.testing.assert_array_equal(found.read_input(field).pixels[0], plain)


def test_a_distance_of_planes_that_imagej_leaves_out_is_said(make_dataset) -> None:
    folder = make_dataset(axes="ZYX")
    stack = np.ones((4, 5, 7), np.uint16)
    path = folder / "images/a_input.tif"
    facts = {"axes": "ZYX", "unit": "um"}
    tifffile.imwrite(path, stack, imagej=True, resolution=(2, 2), metadata=facts)
    found = open_dataset(folder)
    with pytest.warns(CytopressWarning, match="read as 1 um"):
        assert found.read_input(found.fields[0]).spacing_um == (1.0, 0.5, 0.5)


def test_a_stack_in_a_dataset_of_planes_is_refused(make_dataset) -> None:
    folder = make_dataset()
    write(folder / "images/a_input.tif", [Image(np.ones((4, 5, 7), np.uint16))])
    found = open_dataset(folder)
    with pytest.raises(DatasetError, match="axes YX do not fit the file: ZYX"):
        found.read_input(found.fields[0])


def test_a_zarr_field_without_the_chunks_of_a_plane_is_an_error(make_dataset) -> None:
    folder = make_dataset()
    table = folder / "pairs.csv"
    table.write_text(table.read_text().replace("a_input.tif", "a_input.zarr"))
    pixels = np.ones((5, 7), np.uint16)
    names = ("y", "x")
    path = folder / "images/a_input.zarr"
    zarr.create_array(str(path), data=pixels, chunks=(5, 4), dimension_names=names)
    found = open_dataset(folder)
    np.testing.assert_array_equal(found.read_input(found.fields[0]).pixels, pixels)
    (path / "c/0/0").unlink()
    with pytest.warns(CytopressWarning, match="1 of 2 chunks are missing"):
        found.read_input(found.fields[0])
    (path / "c/0/1").unlink()
    with pytest.raises(DatasetError, match="1 of 1 planes have no chunk where the metadata say"):
        found.read_input(found.fields[0])


def test_a_dataset_that_states_its_metadata_has_no_notes_on_those_of_files(make_dataset) -> None:
    folder = make_dataset()
    path = folder / "images/a_input.tif"
    pixels = np.ones((5, 7), np.uint16)
    facts = {"axes": "YX", "PhysicalSizeX": 1, "PhysicalSizeXUnit": "furlong", "SignificantBits": 0}
    tifffile.imwrite(path, pixels, ome=True, metadata=facts)
    with pytest.warns(CytopressWarning, match=r"furlong.*significant bits, 0"):
        read(path)
    found = open_dataset(folder)
    image = found.read_input(found.fields[0])
    assert (image.bits, image.spacing_um) == (12, (0.5, 0.5))


def test_own_split(make_dataset) -> None:
    folder = make_dataset()
    with (folder / "dataset.toml").open("a") as file:
        file.write('[split]\ntest = ["two"]\n')
    found = open_dataset(folder)
    assert [field.part for field in found.fields] == ["train", "test"]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ('test = ["three"]', "'three' of test is not in pairs.csv"),
        ('test = ["one"]\nvalidation = ["one"]', "'one' is in test and validation"),
        ('proof = ["one"]', "lists of groups: train, validation, test"),
        ('test = "one"', "must be a list"),
        ('train = ["one"]', "'two' is in no part"),
    ],
)
def test_bad_split(make_dataset, split: str, message: str) -> None:
    folder = make_dataset()
    with (folder / "dataset.toml").open("a") as file:
        file.write(f"[split]\n{split}\n")
    with pytest.raises(DatasetError, match=message):
        open_dataset(folder)


def test_a_known_split_cannot_be_changed(make_dataset) -> None:
    folder = make_dataset(name="ecoli-phase")
    with (folder / "dataset.toml").open("a") as file:
        file.write('[split]\ntest = ["two"]\n')
    with pytest.raises(DatasetError, match="is fixed"):
        open_dataset(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "tiny"', "", "name must be given"),
        ('name = "tiny"', 'name = ""', "name must be text"),
        ("bits = 12", 'bits = "12"', "bits must be an integer"),
        ("bits = 12", "bits = 0", "bits must be an integer"),
        ("bits = 12", "bits = true", "bits must be an integer"),
        ("pixel_size_um", "pixel_size", "unknown key pixel_size"),
        ("pixel_size_um = 0.5", "pixel_size_um = nan", "positive number"),
        ("pixel_size_um = 0.5", "pixel_size_um = -1", "positive number"),
        ('axes = "YX"', 'axes = "XY"', "axes must be YX or ZYX"),
        ("bits", "bits bits", "not valid TOML"),
    ],
)
def test_bad_facts(make_dataset, old: str, new: str, message: str) -> None:
    folder = make_dataset()
    text = (folder / "dataset.toml").read_text()
    assert old in text
    (folder / "dataset.toml").write_text(text.replace(old, new))
    with pytest.raises(DatasetError, match=rf"dataset\.toml: .*{message}"):
        open_dataset(folder)


HEADER = "field,group,input,target\n"
A = "images/a_input.tif,images/a_target.tif"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "field, group, input, target are missing"),
        ("field,group,input\n", "columns target are missing"),
        (HEADER, "no field"),
        (HEADER + f"a,,{A}\n", "line 2: group must not be empty"),
        (HEADER + f"a, ,{A}\n", "line 2: group must not be empty"),
        (HEADER + f"a,one,{A}\na,two,{A}\n", "'a' is listed twice"),
        (HEADER + f"a,one,{A}\nb,two,images/b_input.tif\n", "line 3: .*number of entries"),
        (HEADER + f"a,one,{A},more\n", "line 2: .*number of entries"),
        (HEADER + "a,one,images/c.tif,images/a_target.tif\n", "c.tif: the input of field 'a'"),
        (HEADER + "a,one,/etc/passwd,images/a_target.tif\n", "relative"),
        (HEADER + "a,one,images/../../a_input.tif,images/a_target.tif\n", "inside it"),
        ("field,group,input,target,label\n", "unknown column label"),
        (HEADER + 'a,one,"images', "not a CSV file"),
    ],
)
def test_bad_rows(make_dataset, rows: str, message: str) -> None:
    folder = make_dataset()
    (folder / "pairs.csv").write_text(rows)
    with pytest.raises(DatasetError, match=message):
        open_dataset(folder)


@pytest.mark.parametrize("name", ["dataset.toml", "pairs.csv"])
def test_a_form_that_is_not_there_or_not_text(make_dataset, name: str) -> None:
    folder = make_dataset()
    (folder / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match=name):
        open_dataset(folder)
    (folder / name).unlink()
    with pytest.raises(DatasetError, match=rf"{name}: cannot be read"):
        open_dataset(folder)


def test_a_pair_whose_shapes_differ(make_dataset) -> None:
    folder = make_dataset()
    write(folder / "images/a_target.tif", [Image(np.ones((5, 8), np.uint16))])
    found = open_dataset(folder)
    with pytest.raises(DatasetError, match=r"a_target.tif: its shape \(5, 8\) must be .*\(5, 7\)"):
        found.read_target(found.fields[0])
    found.read_target(found.fields[1])


def test_bits_that_are_too_few_name_the_file(make_dataset) -> None:
    folder = make_dataset(bits=8)
    found = open_dataset(folder)
    with pytest.raises(DatasetError, match=r"a_input\.tif: .*does not fit in 8 bits"):
        found.read_input(found.fields[0])


def test_a_file_with_several_images_or_damage(make_dataset) -> None:
    folder = make_dataset()
    found = open_dataset(folder)
    tifffile.imwrite(
        folder / "images/a_input.tif", np.ones((3, 5, 7), np.uint16), photometric="minisblack"
    )
    with pytest.raises(DatasetError, match=r"a_input\.tif: axes YX do not fit"):
        found.read_input(found.fields[0])
    (folder / "images/a_input.tif").write_bytes(b"II*\0")
    with pytest.raises(DatasetError, match=r"a_input\.tif"):
        found.read_input(found.fields[0])


def test_labels_of_any_width(make_dataset) -> None:
    folder = make_dataset()
    labels = np.arange(35, dtype=np.uint32).reshape(5, 7) * 100_000
    tifffile.imwrite(folder / "images/a_labels.tif", labels)
    tifffile.imwrite(folder / "images/b_labels.tif", labels.astype(np.float32))
    lines = (folder / "pairs.csv").read_text().splitlines()
    lines[0] += ",labels,cells"
    lines[1] += ",images/a_labels.tif,"
    lines[2] += ",images/b_labels.tif,"
    (folder / "pairs.csv").write_text("\n".join(lines))
    found = open_dataset(folder)
    np.testing.assert_array_equal(found.read_labels(found.fields[0]), labels)
    with pytest.raises(DatasetError, match="labels must be integers"):
        found.read_labels(found.fields[1])
    with pytest.raises(DatasetError, match="'a' has no cells"):
        found.read_cells(found.fields[0])
