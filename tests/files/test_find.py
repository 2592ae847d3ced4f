"""What of a folder is coded, and to which names."""

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.errors import UsageError
from cytopress.files.find import find_coded, find_images, output_names


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_images_of_all_folders_are_found_and_nothing_else(tmp_path: Path) -> None:
    touch(
        tmp_path, "b.TIF", "a.ome.tif", "sub/deep er/ü.png", "c.nd2", "notes.csv", "sub/x.cyto",
        "._a.tif", ".hidden/d.tif", "out/e.tif", "out/cytopress.jsonl", "Thumbs.db",
        "z.ome.zarr/.zattrs", "z.ome.zarr/0/0/0/inner.tif",
    )  # fmt: skip
    found = find_images(tmp_path, without=tmp_path / "out")
    assert list(found.sources) == ["a.ome.tif", "b.TIF", "c.nd2", "sub/deep er/ü.png", "z.ome.zarr"]
    assert found.sources["b.TIF"] == tmp_path / "b.TIF"
    assert found.others == ("Thumbs.db", "notes.csv", "sub/x.cyto")
    assert list(find_coded(tmp_path, without=tmp_path / "out").sources) == ["sub/x.cyto"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    touch(tmp_path, "data/a.tif", "data/sub/b.tif")
    (tmp_path / "data" / "sub" / "up").symlink_to(tmp_path / "data")
    (tmp_path / "plate").mkdir()
    (tmp_path / "plate" / "linked").symlink_to(tmp_path / "data")
    (tmp_path / "plate" / "c.tif").symlink_to(tmp_path / "data" / "a.tif")
    found = find_images(tmp_path / "plate", without=tmp_path / "out")
    assert list(found.sources) == ["c.tif", "linked/a.tif", "linked/sub/b.tif"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may list any folder")
def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.tif", "closed/b.tif")
    (tmp_path / "closed").chmod(0)
    found = find_images(tmp_path, without=tmp_path / "out")
    (tmp_path / "closed").chmod(0o700)
    assert list(found.sources) == ["a.tif"]
    assert found.unreadable == {"closed": "cannot be listed (Permission denied)"}


def test_the_files_of_one_set_are_one_source(tmp_path: Path) -> None:
    uuids = {name: f"urn:uuid:{name}" for name in ("t1.ome.tif", "t2.ome.tif")}
    data = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="1"><UUID FileName="{name}">{uuid}</UUID>'
        "</TiffData>"
        for t, (name, uuid) in enumerate(uuids.items())
    )
    for name, uuid in uuids.items():
        xml = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{uuid}">'
            '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"'
            f' SizeX="7" SizeY="9" SizeZ="1" SizeC="1" SizeT="2"><Channel ID="Channel:0:0"/>{data}'
            "</Pixels></Image></OME>"
        )
        pixels = np.full((9, 7), len(uuid), np.uint16)
        tifffile.imwrite(tmp_path / name, pixels, description=xml, metadata=None)
    tifffile.imwrite(tmp_path / "alone.ome.tif", np.zeros((9, 7), np.uint16))
    found = find_images(tmp_path, without=tmp_path / "out")
    assert list(found.sources) == ["alone.ome.tif", "t1.ome.tif"]
    assert found.parts == {"t1.ome.tif": (tmp_path / "t2.ome.tif",)}


@pytest.mark.parametrize(
    ("names", "known", "outputs"),
    [
        (["a.ome.tif", "sub/b.PNG", "c.ome.zarr"], {}, ["a.cyto", "sub/b.cyto", "c.cyto"]),
        (["x/a.tif", "y/a.tif"], {}, ["x/a.cyto", "y/a.cyto"]),
        (["a.tif", "a.png", "A.nd2"], {}, ["a.tif.cyto", "a.png.cyto", "A.nd2.cyto"]),
        # A file that comes later does not rename what was coded.
        (["a.tif", "a.png"], {"a.tif": "a.cyto"}, ["a.cyto", "a.png.cyto"]),
        (["plate.1.tif", "plate.2.tif"], {}, ["plate.1.cyto", "plate.2.cyto"]),
        ([".tif"], {}, [".tif.cyto"]),
    ],
)
def test_outputs_are_named_by_their_sources(
    names: list[str], known: dict[str, str], outputs: list[str]
) -> None:
    found = output_names({name: Path(name) for name in names}, ".cyto", known)
    assert list(found.values()) == outputs


def test_decoded_files_are_named_by_what_was_coded() -> None:
    names = {name: Path(name) for name in ("a.cyto", "b.tif.cyto", "b.png.cyto")}
    found = output_names(names, ".ome.tif", {})
    assert list(found.values()) == ["a.ome.tif", "b.tif.ome.tif", "b.png.ome.tif"]


def test_two_sources_of_one_output_are_refused() -> None:
    names = {name: Path(name) for name in ("a.tif", "a.png", "a.tif.tif")}
    with pytest.raises(UsageError, match=r"a\.tif and a\.tif\.tif would both be written to"):
        output_names(names, ".cyto", {})
