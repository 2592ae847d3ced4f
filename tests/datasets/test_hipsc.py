from typing import Any

import numpy as np
import pytest
import tifffile

from cytopress.datasets.catalogue import dataset
from cytopress.datasets.download import join_url
from cytopress.datasets.fetch import fetch
from cytopress.datasets.hipsc import BUCKET, HIPSC_DATASETS, FieldOfView, choose
from cytopress.datasets.splits import KNOWN_SPLITS
from cytopress.errors import DatasetError, UsageError
from cytopress.settings import Settings
from fakes.bucket import row, write_bucket, write_table
from fakes.serving import Server

pytestmark = pytest.mark.network


@pytest.fixture
def stacks(server: Server) -> dict[int, np.ndarray[Any, Any]]:
    """Put a small bucket behind the server; return its stacks (C, Z, Y, X) by FOVId."""
    return write_bucket(server.folder)


def test_middle_slices_of_the_right_channels(
    server: Any, stacks: dict[int, Any], settings: Settings
) -> None:
    folder = fetch("hipsc-fbl", settings=settings, mirror=server.url)
    found = dataset("hipsc", settings)
    assert found.folder == folder
    assert [(f.name, f.group) for f in found.fields] == [
        ("10", "3500"), ("20", "3502"), ("30", "3500"),
    ]  # fmt: skip
    for field, brightfield, structure, plane in zip(
        found.fields, (3, 0, 3), (1, 2, 1), (0, 3, 2), strict=True
    ):
        stack = stacks[int(field.name)]
        image = found.read_input(field)
        np.testing.assert_array_equal(image.pixels, stack[brightfield, plane])
        np.testing.assert_array_equal(found.read_target(field).pixels, stack[structure, plane])
        assert image.spacing_um == (0.108333, 0.108333)
    assert {path.name for path in folder.iterdir()} == {"dataset.toml", "pairs.csv", "images"}


def test_whole_stacks(server: Any, stacks: dict[int, Any], settings: Settings) -> None:
    fetch("hipsc-fbl-3d", settings=settings, mirror=server.url)
    found = dataset("hipsc-fbl-3d", settings)
    for field, brightfield, structure in zip(found.fields, (3, 0, 3), (1, 2, 1), strict=True):
        stack = stacks[int(field.name)]
        image = found.read_input(field)
        np.testing.assert_array_equal(image.pixels, stack[brightfield])
        np.testing.assert_array_equal(found.read_target(field).pixels, stack[structure])
        assert image.spacing_um == (0.29, 0.108333, 0.108333)
        assert found.read_target(field).spacing_um == image.spacing_um
    assert found.axes == "ZYX"
    assert found.licence == "Allen Institute for Cell Science terms of use"


def test_another_order_of_dimensions_in_the_file(
    server: Any, stacks: dict[int, Any], settings: Settings
) -> None:
    tifffile.imwrite(
        server.folder / "fov_path/40_stack.ome.tiff",
        stacks[40].swapaxes(0, 1),
        photometric="minisblack",
        metadata={"axes": "ZCYX"},
    )
    fetch("hipsc-npm1", settings=settings, mirror=server.url)
    found = dataset("hipsc-npm1", settings)
    np.testing.assert_array_equal(found.read_input(found.fields[0]).pixels, stacks[40][2, 2])


@pytest.mark.parametrize("name", ["hipsc-fbl", "hipsc-fbl-3d"])
def test_a_fetch_that_was_interrupted_goes_on(
    server: Any, stacks: dict[int, Any], settings: Settings, name: str
) -> None:
    path = server.folder / "fov_path/30_stack.ome.tiff"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DatasetError, match=r"30_stack\.ome\.tiff.*cut short.*It was deleted"):
        fetch(name, settings=settings, mirror=server.url)
    path.write_bytes(data)
    server.requests.clear()
    fetch(name, settings=settings, mirror=server.url)
    assert [asked for asked, _ in server.requests] == ["/fov_path/30_stack.ome.tiff"]
    assert len(dataset(name, settings).fields) == 3


def test_a_limit_takes_some_and_always_the_same(
    server: Any, stacks: dict[int, Any], settings: Settings
) -> None:
    fields = [FieldOfView(number, "p", "", 0, 1) for number in range(1000)]
    some, more = choose(fields, 10), choose(reversed(fields), 500)
    assert set(some) < set(more)
    assert [field.number for field in more] == sorted(field.number for field in more)
    # Not simply the first ones: those would be of few plates.
    assert max(field.number for field in some) > 500
    fetch("hipsc-fbl", settings=settings, mirror=server.url, limit=1)
    assert len(dataset("hipsc-fbl", settings).fields) == 1
    with pytest.raises(UsageError, match="1 to 500"):
        fetch("hipsc-npm1", settings=settings, mirror=server.url, limit=0)


def test_a_table_that_changed(server: Any, settings: Settings) -> None:
    (server.folder / "metadata.csv").write_text("CellId,structure_name\n1,FBL\n")
    with pytest.raises(DatasetError, match="no column FOVId, PlateId"):
        fetch("hipsc-fbl", settings=settings, mirror=server.url)


def test_a_channel_that_is_not_there(
    server: Any, stacks: dict[int, Any], settings: Settings
) -> None:
    write_table(server.folder, [row(1, "FBL", 30, "3500", "9", "1")])
    with pytest.raises(DatasetError, match="there is no C=9"):
        fetch("hipsc-fbl", settings=settings, mirror=server.url)
    write_table(server.folder, [row(1, "LMNB1", 30, "3500", "", "1")])
    with pytest.raises(DatasetError, match="ChannelNumberBrightfield '' is not an integer"):
        fetch("hipsc-lmnb1", settings=settings, mirror=server.url)


def test_a_line_without_fields(server: Any, stacks: dict[int, Any], settings: Settings) -> None:
    with pytest.raises(DatasetError, match="no field of LMNB1"):
        fetch("hipsc-lmnb1", settings=settings, mirror=server.url)


def test_the_split_is_by_plate_and_about_70_10_20() -> None:
    for name in HIPSC_DATASETS:
        split = KNOWN_SPLITS[name]
        parts = [split(str(field), f"3500{field:04d}") for field in range(2000)]
        assert 0.66 < parts.count("train") / 2000 < 0.74
        assert 0.08 < parts.count("validation") / 2000 < 0.12
        assert len({split(str(field), "35000077") for field in range(50)}) == 1


def test_the_address_of_the_bucket() -> None:
    assert join_url(BUCKET, "metadata.csv") == (
        "https://allencell.s3.amazonaws.com/aics/hipsc_single_cell_image_dataset/metadata.csv"
    )
