"""Archives of every kind, opened by the programs that people have; those missing are skipped."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zarr

from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.wanted import Wanted
from fakes.archive_sources import WELLS, disks, write_plate, write_series, write_stack, write_v04

pytest.importorskip("yaozarrs")
FIELDS = [f"plate.ome.zarr/{well}/0" for well in WELLS]
IMAGES = ["labeled.ome.zarr", "series.ome.zarr", *FIELDS]
# Without cytopress: what zarr and tensorstore read of the full resolutions.
ALONE = """
import sys, numpy as np
{imports}
assert "cytopress" not in sys.modules
for path in sys.argv[1:]:
    array = {array}
    print(int(np.asarray(array[:]).astype(np.int64).sum()))
"""


@dataclass(frozen=True)
class Archive:
    """An archive, and by image what it was made of (T, C, Z, Y, X)."""

    path: Path
    sources: dict[str, np.ndarray]

    def check(self, name: str, pixels: object) -> None:
        """Hold what a program reads of an image against its source."""
        found = np.asarray(pixels)
        source = self.sources[name]
        assert found.size == source.size
        assert np.abs(found.reshape(source.shape).astype(int) - source).max() <= 3


@pytest.fixture(scope="module", params=["cytopress", "everyone"])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Return an archive of a plate, a time series, and an image with labels."""
    folder = tmp_path_factory.mktemp(request.param)
    source, out = folder / "in", folder / "out"
    source.mkdir()
    sources = {"series.ome.zarr": write_series(source / "series.ome.tif")[:, :, None]}
    sources["labeled.ome.zarr"] = write_v04(source / "labeled.zarr", labels=disks("int32"))[None]
    for name, field in zip(FIELDS, write_plate(source / "plate.zarr"), strict=True):
        sources[name] = field[None, :, None]
    codec = "jpegls:max_error=3" if request.param == "cytopress" else "round-zstd:max_error=3"
    make_plan([source], out, Wanted(codec=codec, readers=request.param, chunk=64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cytopress.archive.run.run_tasks", _here)
        assert run(out).complete
    return Archive(out, sources)


def _here(tasks, work, ledger, *, processes, purpose) -> Iterator[dict]:
    for task in tasks:
        row = {"key": task.key, "error": "", **work(task)}
        ledger.add(row)
        yield row


@pytest.mark.parametrize("name", IMAGES)
def test_zarr_and_dask(archive: Archive, name: str) -> None:
    path = archive.path / name
    archive.check(name, zarr.open_group(str(path), mode="r")["0"][:])
    array = pytest.importorskip("dask.array").from_zarr(str(path / "0"))
    archive.check(name, array.compute(scheduler="synchronous"))


@pytest.mark.parametrize("name", IMAGES)
def test_bioio(archive: Archive, name: str) -> None:
    reader = pytest.importorskip("bioio_ome_zarr").Reader
    image = pytest.importorskip("bioio").BioImage(archive.path / name, reader=reader)
    archive.check(name, image.data)
    expected = ["DNA", "ER"] if "plate" not in name else None
    assert expected is None or image.channel_names == expected
    assert (0.2 if "labeled" in name else 0.3) == image.physical_pixel_sizes.X


@pytest.mark.parametrize("name", [*IMAGES[:2], FIELDS[3]])
def test_ome_zarr(archive: Archive, name: str) -> None:
    read = pytest.importorskip("ome_zarr.reader").Reader
    location = pytest.importorskip("ome_zarr.io").parse_url(archive.path / name)
    first, *others = list(read(location)())
    archive.check(name, first.data[0])
    labels = [node for node in others if node.zarr.basename() in ("nuclei", "cells")]
    assert len(labels) == ("series" not in name)
    for node in labels:
        np.testing.assert_array_equal(np.asarray(node.data[0])[0, 0, 0], disks())


def test_ome_zarr_reads_the_plate(archive: Archive) -> None:
    read = pytest.importorskip("ome_zarr.reader").Reader
    location = pytest.importorskip("ome_zarr.io").parse_url(archive.path / "plate.ome.zarr")
    plate = np.asarray(next(iter(read(location)())).data[0])
    fields = [archive.sources[name][0, 0, 0] for name in FIELDS]
    expected = np.block([fields[:2], fields[2:]])
    assert np.abs(plate[0, 0, 0].astype(int) - expected).max() <= 3


@pytest.mark.parametrize("name", [*IMAGES[:2], "plate.ome.zarr"])
def test_napari(archive: Archive, name: str) -> None:
    path = str(archive.path / name)
    layers = pytest.importorskip("napari_ome_zarr").napari_get_reader(path)(path)
    kinds = [layer[2] for layer in layers]
    assert kinds.count("image") >= 1
    assert kinds.count("labels") >= ("series" not in name)
    if "plate" not in name:
        data, about, _ = next(layer for layer in layers if layer[2] == "image")
        archive.check(name, np.moveaxis(np.asarray(data[0]), 0, about["channel_axis"])
                      if about.get("channel_axis") == 0 else data[0])  # fmt: skip


@pytest.mark.parametrize(
    ("imports", "array"),
    [
        ("import zarr", "zarr.open_array(path, mode='r')"),
        (
            "import tensorstore",
            "tensorstore.open(dict(driver='zarr3', kvstore='file://' + path)).result()",
        ),
    ],
)
def test_everyone_reads_without_cytopress(archive: Archive, imports: str, array: str) -> None:
    if archive.path.parent.name.startswith("cytopress"):
        pytest.skip("these need cytopress")
    pytest.importorskip(imports.split()[1])
    paths = [archive.path / name for name in (*IMAGES, "labeled.ome.zarr/labels/nuclei")]
    code = ALONE.format(imports=imports, array=array)
    arguments = [str(path / "0") for path in paths]
    done = subprocess.run(
        # Isolated: without the folder and the environment that put cytopress on the path.
        [sys.executable, "-I", "-c", code, *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = [int(zarr.open_array(one, mode="r")[:].astype(np.int64).sum()) for one in arguments]
    assert list(map(int, done.stdout.split())) == expected


@pytest.mark.slow
def test_a_stack_coded_as_a_volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytopress.archive.run.run_tasks", _here)
    pixels = write_stack(tmp_path / "stack.tif", 20)
    out = tmp_path / "out"
    make_plan([tmp_path / "stack.tif"], out, Wanted(codec="learned/cytopress-3d:quality=0.5"))
    result = run(out)
    assert result.complete, result.failed
    path = out / "stack.ome.zarr"
    array = zarr.open_array(str(path / "0"), mode="r")
    assert array.chunks[2:] == (20, 150, 130)
    found = np.asarray(array[0, 0]).astype(float)
    assert np.sqrt(np.mean((found - pixels) ** 2)) < 30
    reader = pytest.importorskip("bioio_ome_zarr").Reader
    image = pytest.importorskip("bioio").BioImage(path, reader=reader)
    np.testing.assert_array_equal(image.data[0, 0], found)
