"""Sources that are .cyto files: their images, their codec's loss, and damage."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cytopress.archive.costs import costs_of
from cytopress.archive.memory import worker_bytes
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.errors import CorruptDataError
from cytopress.files import channel_codecs, decode_file, encode_file
from cytopress.formats.images import read
from fakes.archives import in_this_process, write_fields

pytest.importorskip("yaozarrs")
LOSSLESS = Wanted(codec="jpegls", chunk=64)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)


@pytest.fixture
def coded(tmp_path: Path) -> Path:
    """Return a folder of two .cyto files of two channels, of which one is lossy."""
    source, coded = write_fields(tmp_path / "in", 2), tmp_path / "coded"
    coded.mkdir()
    for path in source.iterdir():
        codecs = channel_codecs(["DNA=jpegls:max_error=2", "ER=jpegls"])
        encode_file(path, coded / path.name.replace(".ome.tif", ".cyto"), codecs)
    return coded


def test_a_folder_of_cyto_files_becomes_an_archive(coded: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    plan, notes = make_plan([coded], out, LOSSLESS)
    assert [image.name for image in plan.images] == ["field 0 µ.ome.zarr", "field 1 µ.ome.zarr"]
    assert [one["method"] for one in plan.images[0].history] == ["cytopress: JpegLS(near=2)"]
    assert notes == []
    assert run(out).complete
    decode_file(coded / "field 1 µ.cyto", tmp_path / "back.ome.tif")
    group = zarr.open_group(str(out / "field 1 µ.ome.zarr"), mode="r")
    for channel, image in enumerate(read(tmp_path / "back.ome.tif")):
        np.testing.assert_array_equal(group["0"][0, channel, 0], image.pixels)
    assert [one["label"] for one in group.attrs["ome"]["omero"]["channels"]] == ["DNA", "ER"]
    found = verify(out, depth="full", against=coded)
    assert (found.passed, found.fit) == (True, True)


def test_beside_the_image_that_it_was_coded_from_it_is_left_out(
    coded: Path, tmp_path: Path
) -> None:
    original = tmp_path / "in" / "field 0 µ.ome.tif"
    original.rename(coded / original.name)
    plan, notes = make_plan([coded], tmp_path / "out", LOSSLESS)
    assert [Path(image.source).suffix for image in plan.images] == [".tif", ".cyto"]
    assert notes == [f"{coded}: left out 1 other file (field 0 µ.cyto)."]


def test_damage_is_one_sentence_with_the_name(coded: Path, tmp_path: Path) -> None:
    path = coded / "field 0 µ.cyto"
    data = bytearray(path.read_bytes())
    data[len(data) // 4] ^= 4
    path.write_bytes(data)
    with pytest.raises(CorruptDataError, match=r"^[^\n]*field 0 µ.cyto: .*damaged[^\n]*$"):
        make_plan([path], tmp_path / "out", LOSSLESS)
    assert not (tmp_path / "out" / "cytopress").exists()


def test_among_several_the_option_that_leaves_it_out_is_named(coded: Path, tmp_path: Path) -> None:
    path = coded / "field 0 µ.cyto"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(CorruptDataError, match=r"field 0 µ.cyto: .*--skip-unreadable"):
        make_plan([coded], tmp_path / "out", LOSSLESS)
    left = replace(LOSSLESS, skip_unreadable=True)
    plan, notes = make_plan([coded], tmp_path / "out", left)
    assert [image.name for image in plan.images] == ["field 1 µ.ome.zarr"]
    assert len(notes) == 1
    assert "--skip-unreadable" not in notes[0]


def test_a_stack_is_said_to_be_decoded_for_every_shard(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).poisson(500, (8, 300, 300)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata={"axes": "ZYX"})
    encode_file(tmp_path / "a.ome.tif", tmp_path / "a.cyto", channel_codecs(["zstd"]))
    # The least memory that a worker can have, so that shards are small.
    few = Wanted(codec="jpegls", chunk=300, memory=302_200_000)
    plan, _ = make_plan([tmp_path / "a.cyto"], tmp_path / "out", few)
    shards = math.ceil(8 / plan.images[0].shard[2])
    assert shards > 1
    assert costs_of(plan).read_amplification == pytest.approx(shards)
    same, _ = make_plan([tmp_path / "a.ome.tif"], tmp_path / "other", few)
    # Beside a shard, the whole stack is in memory.
    needs = [worker_bytes(one.images[0], one.codings[0]) for one in (plan, same)]
    assert needs[0] - needs[1] == pixels.nbytes
