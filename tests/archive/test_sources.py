"""Sources of archives: what OME-Zarr and files say of themselves is kept, labels without loss."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import tifffile
import zarr

from cytopress.archive import inspecting
from cytopress.archive.planning import make_plan
from cytopress.archive.run import Part, run
from cytopress.archive.shard import source_pixels, tasks_of
from cytopress.archive.sources import Source
from cytopress.archive.stores import DEBRIS, store_of
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.errors import CytopressError, UsageError
from fakes.archive_sources import (
    WELLS,
    counts,
    disks,
    write_plate,
    write_series,
    write_stack,
    write_v04,
)
from fakes.archives import in_this_process

yaozarrs = pytest.importorskip("yaozarrs")
LOSSY = Wanted(codec="jpegls:max_error=3", chunk=64)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on shards in this process: a new one takes seconds to start."""
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)
    monkeypatch.setattr(inspecting, "SMALL", 100)


def archived(source: Path, out: Path, wanted: Wanted = LOSSY) -> list[str]:
    """Plan, run and verify; return the notes of the plan."""
    _, notes = make_plan([source], out, wanted)
    result = run(out)
    assert result.complete, result.failed
    found = verify(out, depth="full", against=source)
    assert found.passed, found.failures
    return notes


def level(path: Path, number: int = 0) -> np.ndarray:
    """Return the pixels of a resolution."""
    return np.asarray(zarr.open_array(str(path / str(number)), mode="r")[:])


def attributes(path: Path) -> dict:
    """Return the attributes of a group."""
    return json.loads((path / "zarr.json").read_text())["attributes"]


def test_an_image_of_0_4_keeps_what_it_says_and_its_labels(tmp_path: Path) -> None:
    source, out = tmp_path / "Bild ü 1.zarr", tmp_path / "out"
    labels = disks("int32", step=70_000)
    pixels = write_v04(source, labels=labels)
    notes = archived(source, out)
    path = out / "Bild ü 1.ome.zarr"
    yaozarrs.validate_zarr_store(str(path))
    assert np.abs(level(path)[0].astype(int) - pixels).max() == 3
    found = attributes(path)
    assert found["laboratory"] == {"notebook": 7}
    assert found["ome"]["omero"]["id"] == 3
    first = found["ome"]["omero"]["channels"][0]
    assert (first["color"], first["active"], first["emissionWave"]) == ("00FFAA", False, 461)
    assert first["window"] == {"min": 0, "max": 4095, "start": 500, "end": 1500}
    _, half = found["ome"]["multiscales"][0]["datasets"]
    scale, shift = half["coordinateTransformations"]
    assert scale["scale"] == [1, 1, 0.5, 0.4, 0.4]
    assert shift["translation"] == pytest.approx([0, 0, 0, 10.1, 20.1])
    assert [note for note in notes if "its folder 'tables'" in note]
    # Labels stay numbers in every resolution.
    np.testing.assert_array_equal(level(path / "labels/nuclei")[0, 0], np.stack([labels] * 3))
    np.testing.assert_array_equal(level(path / "labels/nuclei", 1)[0, 0, 0], labels[::2, ::2])
    about = attributes(path / "labels/nuclei")["ome"]
    assert about["image-label"]["colors"] == [{"label-value": 1, "rgba": [9, 8, 7, 6]}]
    assert attributes(path / "labels")["ome"]["labels"] == ["nuclei"]
    assert "cytopress" not in (path / "labels/nuclei/0/zarr.json").read_text()


def test_a_plate_stays_a_plate(tmp_path: Path) -> None:
    source, out = tmp_path / "screen.ome.zarr", tmp_path / "out"
    fields = write_plate(source)
    archived(source, out)
    path = out / "screen.ome.zarr"
    yaozarrs.validate_zarr_store(str(path))
    plate = attributes(path)["ome"]["plate"]
    assert (plate["name"], plate["field_count"]) == ("screen 7", 1)
    assert plate["acquisitions"][0]["starttime"] == 1700000000
    for at, well in enumerate(WELLS):
        assert np.abs(level(path / well / "0")[0, 0, 0].astype(int) - fields[at][0]).max() == 3
        found = level(path / well / "0/labels/cells")[0, 0, 0]
        np.testing.assert_array_equal(found, disks() * (at > 0))
        assert attributes(path / well)["ome"]["well"]["images"] == [{"acquisition": 0, "path": "0"}]


def test_files_named_by_wells_become_a_plate(tmp_path: Path) -> None:
    source, out = tmp_path / "my screen", tmp_path / "out"
    source.mkdir()
    for at, well in enumerate(("A01", "A02", "B01", "B02")):
        for site in (2, 10):
            for channel in (1, 2):
                pixels = counts(seed=site + channel + 20 * at)
                tifffile.imwrite(source / f"run_{well}_s{site}_w{channel}.tif", pixels)
    archived(source, out, Wanted(codec="jpegls:max_error=3", chunk=64, layout="plate"))
    path = out / "my screen.ome.zarr"
    yaozarrs.validate_zarr_store(str(path))
    for at, well in enumerate(WELLS):
        for number, site in enumerate((2, 10)):
            expected = [counts(seed=site + channel + 20 * at) for channel in (1, 2)]
            found = level(path / well / str(number))[0, :, 0]
            assert np.abs(found.astype(int) - expected).max() == 3
    names = [one["label"] for one in attributes(path / "A/1/0")["ome"]["omero"]["channels"]]
    assert names == ["w1", "w2"]
    (source / "run_B02_s10_w1.tif").unlink()
    with pytest.raises(UsageError, match="lacks the channel w1"):
        make_plan([source], tmp_path / "other", Wanted(layout="plate"))
    (source / "overview.tif").write_bytes(b"")
    with pytest.raises(UsageError, match="holds no well"):
        make_plan([source], tmp_path / "other", Wanted(layout="plate"))


def test_a_time_series_keeps_time_colors_and_ome_xml(tmp_path: Path) -> None:
    source, out = tmp_path / "series.ome.tif", tmp_path / "out"
    pixels = write_series(source)
    archived(source, out)
    path = out / "series.ome.zarr"
    assert np.abs(level(path)[:, :, 0].astype(int) - pixels).max() == 3
    ome = attributes(path)["ome"]
    scales = ome["multiscales"][0]
    assert scales["axes"][0] == {"name": "t", "type": "time", "unit": "second"}
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [30, 1, 1, 0.3, 0.3]
    shown = [(one["color"], one["emissionWave"]) for one in ome["omero"]["channels"]]
    assert shown == [("0000FF", 461), ("FF0000", 520)]
    document = ET.parse(path / "OME/METADATA.ome.xml").getroot()
    assert document.findtext(".//{*}AcquisitionDate") == "2026-01-02T03:04:05"


def test_planes_are_halved_once_voxels_are_isotropic(tmp_path: Path) -> None:
    source, out = tmp_path / "stack.tif", tmp_path / "out"
    pixels = write_stack(source, 5)
    archived(source, out, Wanted(chunk=64))
    path = out / "stack.ome.zarr"
    np.testing.assert_array_equal(level(path)[0, 0], pixels)
    padded = np.pad(pixels, [(0, 1), (0, 0), (0, 0)], "edge").astype(float)
    means = padded.reshape(3, 2, 75, 2, 65, 2).mean((1, 3, 5))
    np.testing.assert_array_equal(level(path, 1)[0, 0], np.rint(means))
    half = attributes(path)["ome"]["multiscales"][0]["datasets"][1]["coordinateTransformations"]
    assert half[0]["scale"][2:] == pytest.approx([0.6, 0.6, 0.6])


def test_masks_are_recognized_and_kept(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number in range(2):
        tifffile.imwrite(source / f"field{number}.tif", counts(seed=number))
        tifffile.imwrite(source / f"field{number}_seg.tif", disks() * (number > 0))
    both = np.stack([counts(), (disks() > 0) * np.uint16(255)])
    names = {"axes": "CYX", "Channel": {"Name": ["DNA", "found"]}}
    tifffile.imwrite(source / "two.ome.tif", both, metadata=names, photometric="minisblack")
    notes = archived(source, out)
    assert any("field0_seg.tif and 1 other: the image looks like a mask" in one for one in notes)
    assert any("channel 'found' looks like a mask" in one for one in notes)
    np.testing.assert_array_equal(level(out / "field1_seg.ome.zarr")[0, 0, 0], disks())
    np.testing.assert_array_equal(level(out / "two.ome.zarr")[0, 1, 0], both[1])
    assert (level(out / "two.ome.zarr")[0, 0, 0] != both[0]).any()
    # Who names the channel is obeyed.
    asked = Wanted(codec="jpegls:max_error=3", channels={"found": "jpegls:max_error=9"}, chunk=64)
    plan, _ = make_plan([source], tmp_path / "other", asked)
    assert {one.spec for one in plan.codings if one.channel == "found"} == {"jpegls:near=9"}


@pytest.mark.parametrize("dtype", ["int64", "uint32", "bool"])
def test_types_that_no_codec_takes_are_kept(tmp_path: Path, dtype: str) -> None:
    source, out = tmp_path / "a.zarr", tmp_path / "out"
    array = zarr.create_array(str(source), shape=(150, 130), chunks=(64, 64), dtype=dtype,
                              dimension_names=("y", "x"))  # fmt: skip
    array[:] = disks(dtype)
    notes = archived(source, out)
    assert any(f"pixels of {dtype} are kept losslessly" in note for note in notes)
    np.testing.assert_array_equal(level(out / "a.ome.zarr")[0, 0, 0], disks(dtype))


def test_a_channel_name_twice_tells_them_apart(tmp_path: Path) -> None:
    source, out = tmp_path / "a.ome.tif", tmp_path / "out"
    names = {"axes": "CYX", "Channel": {"Name": ["DNA", "DNA"]}}
    tifffile.imwrite(source, counts(2), metadata=names, photometric="minisblack")
    asked = Wanted(codec="jpegls:max_error=3", channels={"DNA (2)": "jpegls"}, chunk=64)
    notes = archived(source, out, asked)
    assert any("several channels named 'DNA'" in note for note in notes)
    found = level(out / "a.ome.zarr")[0, :, 0]
    np.testing.assert_array_equal(found[1], counts(2)[1])
    assert (found[0] != counts(2)[0]).any()


def test_what_cannot_be_archived_is_one_sentence(tmp_path: Path) -> None:
    colors = np.random.default_rng(0).integers(0, 255, (90, 80, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "color.tif", colors, photometric="rgb")
    tifffile.imwrite(tmp_path / "float.tif", counts().astype(np.float32) / 7)
    tifffile.imwrite(tmp_path / "complex.tif", counts().astype(np.complex64))
    for name, why in (("color", "color image"), ("float", "float32"), ("complex", "complex64")):
        with pytest.raises(CytopressError, match=why) as caught:
            make_plan([tmp_path / f"{name}.tif"], tmp_path / "out", LOSSY)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_chunks_that_are_missing_are_said(tmp_path: Path) -> None:
    source, out = tmp_path / "a.zarr", tmp_path / "out"
    write_v04(source, labels=disks())
    (source / "0/0/0/0/0").unlink()
    _, notes = make_plan([source], out, LOSSY)
    assert any("1 of 54 chunks are missing" in note for note in notes)
    for chunk in (source / "0/1/1").rglob("[0-9]"):
        if chunk.is_file():
            chunk.unlink()
    with pytest.raises(CytopressError, match="1 of 6 planes have no chunk"):
        make_plan([source], tmp_path / "other", LOSSY)


def test_a_path_out_of_the_source_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.zarr"
    write_v04(source, labels=disks())
    labels = source / "labels/.zattrs"
    labels.write_text(json.dumps({"labels": ["../../../other"]}))
    with pytest.raises(UsageError, match="outside of it"):
        make_plan([source], tmp_path / "out", LOSSY)


def test_a_plane_in_strips_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard of part of a plane decodes the strips that it touches, a whole plane each once."""
    source, out = tmp_path / "a.ome.tif", tmp_path / "out"
    pixels = counts(2)
    tifffile.imwrite(source, pixels, compression="zlib", rowsperstrip=16, ome=True,
                     photometric="minisblack", metadata={"axes": "ZYX"})  # fmt: skip
    plan, _ = make_plan([source], out, Wanted(chunk=32))
    decoded: list[int] = []
    decode = tifffile.TiffPage.decode.func

    def counted(page):
        inner = decode(page)

        def count(data, index, **more):
            decoded.append(index)
            return inner(data, index, **more)

        return count

    monkeypatch.setattr(tifffile.TiffPage, "decode", property(counted))
    (image,) = plan.images
    task = next(tasks_of(store_of(out), image, plan.codings, plan.readers, 0))
    np.testing.assert_array_equal(source_pixels(task, Source.of(image))[0, 0], pixels)
    assert sorted(decoded) == sorted([*range(10)] * 2)
    decoded.clear()
    half = replace(image, shard=(1, 1, 1, 64, 160))
    tasks = list(tasks_of(store_of(out), half, plan.codings, plan.readers, 0))
    found = [source_pixels(one, Source.of(half))[0, 0, 0] for one in tasks[:3]]
    np.testing.assert_array_equal(np.concatenate(found), pixels[0])
    assert sorted(decoded) == list(range(10))


def test_planes_are_parted_where_one_is_too_large() -> None:
    chunk = (1, 1, 1, 512, 512)
    assert inspecting.shard_of(chunk, (40, 2048, 2048), 2, 2**27) == (1, 1, 16, 2048, 2048)
    assert inspecting.shard_of(chunk, (1, 100_000, 80_000), 2, 2**27) == (1, 1, 1, 512, 80384)


def test_what_a_killed_part_left_is_removed_by_that_part_alone(tmp_path: Path) -> None:
    source, out = tmp_path / "a.zarr", tmp_path / "out"
    write_v04(source, labels=disks())
    make_plan([source], out, LOSSY)
    assert not run(out, part=Part(1, 2)).complete
    image, labels = out / "a.ome.zarr/0/c", out / "a.ome.zarr/labels/nuclei/0/c"
    labels.mkdir(parents=True, exist_ok=True)
    strays = [folder / f"0.1{DEBRIS}" for folder in (image, labels)]
    for stray in strays:
        stray.write_bytes(b"half")
    run(out, part=Part(1, 2))
    assert [stray.exists() for stray in strays] == [False, True]
    assert run(out, part=Part(2, 2)).complete
    assert [stray.exists() for stray in strays] == [False, False]
    assert verify(out, depth="full", against=source).passed
