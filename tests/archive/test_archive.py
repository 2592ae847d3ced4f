"""Archives: planned, written, resumed, verified; and what damage and wrong use get."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cytopress.archive import inspecting
from cytopress.archive.certificate import rows_of
from cytopress.archive.chunk_encoding import ChunkCoding
from cytopress.archive.export import export
from cytopress.archive.plan import read_plan
from cytopress.archive.planning import make_plan
from cytopress.archive.run import Part, run
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.errors import ImageError, StoreError, UsageError
from cytopress.formats.images import read
from cytopress.lock import locked
from fakes.archives import in_this_process

pytest.importorskip("yaozarrs")
JPEGLS = Wanted(codec="jpegls:max_error=3", chunk=64)
# Files that hold times, and so differ between equal runs.
DATED = {"certificate.json", "SHA256SUMS"}


@pytest.fixture(autouse=True)
def _in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on shards in this process: a new one takes seconds to start."""
    if "processes" in request.keywords:
        return
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)
    monkeypatch.setattr(inspecting, "SMALL", 100)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a folder with two fields of two channels, 12 bits, 150 x 130 pixels."""
    folder = tmp_path / "my plates" / "plate µ"
    folder.mkdir(parents=True)
    for number in range(2):
        write_field(folder / f"field {number}.ome.tif", field(number))
    (folder.parent / "notes.txt").write_text("seen at noon")
    return folder.parent


def field(seed: int) -> np.ndarray:
    """Return counts (C, Y, X): smooth, with noise."""
    y, x = np.mgrid[:150, :130]
    light = 900 + 300 * np.sin(x / 9 + seed) * np.cos(y / 7)
    random = np.random.default_rng(seed)
    return random.normal([light, light / 2], 9).clip(1, 4095).astype(np.uint16)


def write_field(path: Path, pixels: np.ndarray) -> None:
    """Write an OME-TIFF of channels DNA and ER."""
    metadata = {
        "axes": "CYX", "Channel": {"Name": ["DNA", "ER"]}, "SignificantBits": 12,
        "PhysicalSizeX": 0.3, "PhysicalSizeY": 0.3,
    }  # fmt: skip
    tifffile.imwrite(path, pixels, metadata=metadata)


def archived(source: Path, out: Path, wanted: Wanted = JPEGLS) -> Path:
    """Plan and run."""
    make_plan([source], out, wanted)
    assert run(out).complete
    return out


def tree(out: Path) -> dict[str, str]:
    """Return the digest of every file that holds no time."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in DATED and "cytopress" not in path.parts
    }


def shards(out: Path) -> list[Path]:
    """Return the files of the full resolutions."""
    return sorted(path for path in out.rglob("0/c/**/*") if path.is_file())


def test_any_zarr_reader_with_cytopress_reads_what_was_promised(source: Path, tmp_path) -> None:
    out = archived(source, tmp_path / "out")
    from yaozarrs import validate_zarr_store

    for number in range(2):
        path = out / f"plate µ/field {number}.ome.zarr"
        validate_zarr_store(str(path))
        group = zarr.open_group(str(path), mode="r")
        pixels = group["0"][0, :, 0]
        raw = field(number)
        assert np.abs(pixels.astype(int) - raw).max() <= 3
        scale = group.attrs["ome"]["multiscales"][0]["datasets"][1]["coordinateTransformations"]
        assert scale[0]["scale"] == [1, 1, 1, 0.6, 0.6]
        # Levels are rounded means of what is decoded, and coded alike.
        mean = pixels[:, :150, :130].reshape(2, 75, 2, 65, 2).mean((2, 4))
        assert np.abs(group["1"][0, :, 0] - mean).max() <= 3.5
        (history,) = group.attrs["cytopress"]["history"]
        told = [channel["error"]["max"] for channel in history["channels"]]
        assert told == [np.abs(a.astype(int) - b).max() for a, b in zip(pixels, raw, strict=True)]
    assert (
        subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=out, check=False)
        .returncode == 0
    )  # fmt: skip
    assert verify(out, depth="full", against=source).passed


def test_what_was_interrupted_ends_as_what_was_not(source: Path, tmp_path: Path) -> None:
    whole = archived(source, tmp_path / "whole")
    out = tmp_path / "out"
    make_plan([source], out, JPEGLS)
    run(out)
    shards(out)[1].unlink()
    shards(out)[2].write_bytes(b"half")
    (shards(out)[0].parent / "0.7c1.partial").write_bytes(b"of a killed process")
    ledger = out / "cytopress/ledger/part-1-of-1.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-20])
    assert run(out).complete
    assert tree(out) == tree(whole)
    assert verify(out, depth="full", against=source).passed


def test_parts_make_the_same_archive(source: Path, tmp_path: Path) -> None:
    whole = archived(source, tmp_path / "whole")
    out = tmp_path / "out"
    make_plan([source], out, JPEGLS)
    assert not run(out, part=Part(1, 3)).complete
    assert not verify(out, depth="quick").passed
    assert run(out, part=Part(2, 3)).complete
    assert run(out, part=Part(3, 3)).complete
    assert tree(out) == tree(whole)
    assert verify(out).passed


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def swap(path: Path) -> None:
    other = path.parents[5] / "c/0/1/0/0/0"
    data = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (flip, "its bytes have changed"),
        (Path.unlink, "is missing"),
        (swap, "bytes"),
        (lambda path: path.write_bytes(path.read_bytes()[:-3]), "bytes, and"),
        (lambda path: shutil.copy(path, path.with_name("9")), "belongs to no shard"),
    ],
)
def test_damage_is_found(
    source: Path, tmp_path, damage: Callable[[Path], object], why: str
) -> None:
    out = archived(source, tmp_path / "out")
    damage(shards(out)[0])
    found = verify(out)
    assert not found.passed
    assert any(why in sentence for sentence in found.failures.values())


def test_changed_metadata_and_sources_are_found(source: Path, tmp_path: Path) -> None:
    out = archived(source, tmp_path / "out")
    raw = field(0)
    raw[1, 3, 4] += 1
    write_field(source / "plate µ/field 0.ome.tif", raw)
    failures = verify(out, depth="quick", against=source).failures
    assert list(failures.values()) == ["its source's pixels are not those that were archived"]
    assert "0/c/0/1/" in next(iter(failures))
    metadata = next(out.rglob("0/zarr.json"))
    metadata.write_text(metadata.read_text().replace("0", "1", 1))
    assert "has changed" in str(verify(out).failures)


def test_a_chunk_beyond_its_ceiling_is_coded_finer(tmp_path: Path) -> None:
    """Noise in a corner of a field that was not sampled."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(18):
        raw = field(number)
        if number == 1:
            raw[0, :64, :64] = np.random.default_rng(0).integers(1, 4095, (64, 64))
        write_field(folder / f"{number:02}.ome.tif", raw)
    out = archived(folder, tmp_path / "out", Wanted(codec="jpeg2000:psnr=50", chunk=64))
    plan = read_plan(out)
    coding = next(one for one in plan.codings if one.channel == "DNA")
    assert coding.ceiling is not None
    row = rows_of(out)["01.ome.zarr/0/c/0/0/0/0/0"]
    assert row["finer"] >= 1
    raw = tifffile.imread(folder / "01.ome.tif")[0].astype(float)
    decoded = zarr.open_group(str(out / "01.ome.zarr"), mode="r")["0"][0, 0, 0]
    worst = np.mean((decoded[:64, :64] - raw[:64, :64]) ** 2)
    assert 10 * np.log10(coding.ceiling.data_range**2 / worst) >= 48
    whole = np.mean((decoded - raw) ** 2)
    assert 10 * np.log10(coding.ceiling.data_range**2 / whole) >= 49.7


@pytest.mark.parametrize("wanted", [Wanted(chunk=64), Wanted(chunk=64, readers="everyone")])
def test_lossless_is_exact(source: Path, tmp_path: Path, wanted: Wanted) -> None:
    out = archived(source, tmp_path / "out", wanted)
    group = zarr.open_group(str(out / "plate µ/field 1.ome.zarr"), mode="r")
    np.testing.assert_array_equal(group["0"][0, :, 0], field(1))
    assert not json.loads((out / "cytopress/certificate.json").read_text())["lossy"]


@pytest.mark.parametrize("readers", ["everyone", "fiji"])
def test_other_readers_need_no_codec_of_ours(source: Path, tmp_path: Path, readers) -> None:
    wanted = Wanted(codec="round-zstd:max_error=4", readers=readers, chunk=64)
    out = archived(source, tmp_path / "out", wanted)
    path = out / "plate µ/field 0.ome.zarr"
    names = json.dumps(json.loads((path / "0/zarr.json").read_text())["codecs"])
    assert "cytopress" not in names
    assert ("sharding" in names) == (readers == "everyone")
    pixels = zarr.open_group(str(path), mode="r")["0"][0, :, 0]
    assert 0 < np.abs(pixels.astype(int) - field(0)).max() <= 4
    with pytest.raises(UsageError, match="round-zstd"):
        make_plan([source], tmp_path / "other", Wanted(codec="jpegxl:ratio=5", readers=readers))


def test_channels_have_codecs_of_their_own(source: Path, tmp_path: Path) -> None:
    wanted = Wanted(codec="jpegls:max_error=3", channels={"ER": "jpegls"}, chunk=64)
    out = archived(source, tmp_path / "out", wanted)
    pixels = zarr.open_group(str(out / "plate µ/field 1.ome.zarr"), mode="r")["0"][0, :, 0]
    np.testing.assert_array_equal(pixels[1], field(1)[1])
    assert (pixels[0] != field(1)[0]).any()


def test_wrong_use_is_one_sentence_and_writes_nothing(source: Path, tmp_path: Path) -> None:
    out = archived(source, tmp_path / "out")
    before = tree(out)
    with pytest.raises(UsageError, match='planned with codec="jpegls:max_error=3"; choose'):
        make_plan([source], out, Wanted(codec="jpegls:max_error=4", chunk=64))
    with (
        locked(out / "cytopress", "part-1-of-1.archive.lock", "writing the archive"),
        pytest.raises(StoreError, match="writing the archive"),
    ):
        run(out)
    with pytest.raises(UsageError, match="not empty and holds no archive"):
        make_plan([source], source, JPEGLS)
    with pytest.raises(UsageError, match="no channel 'GFP'; the sources have DNA, ER"):
        make_plan([source], tmp_path / "new", Wanted(channels={"GFP": "zstd"}))
    os.utime(source / "plate µ/field 0.ome.tif", (0, 0))
    with pytest.raises(UsageError, match="has changed since the plan was made"):
        run(out)
    assert tree(out) == before
    assert not (tmp_path / "new").exists()
    with pytest.raises(StoreError, match="is no archive"):
        run(tmp_path / "nowhere")


def test_the_same_request_resumes_without_solving_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    plan, _ = make_plan([source], out, JPEGLS)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("cytopress.archive.planning.solve", refuse)
    monkeypatch.setattr("cytopress.archive.inspecting.opened", refuse)
    monkeypatch.chdir(source.parent)
    assert make_plan([Path(source.name)], Path("out"), JPEGLS)[0] == plan
    with pytest.raises(UsageError, match=f"planned of {source}; choose another folder"):
        make_plan([source / "plate µ"], out, JPEGLS)
    with pytest.raises(UsageError, match="planned with chunk=64; choose"):
        make_plan([source], out, replace(JPEGLS, chunk=32))
    shutil.copy(source / "plate µ/field 0.ome.tif", source / "plate µ/field 9.ome.tif")
    with pytest.raises(UsageError, match="of other files in the same sources; choose"):
        make_plan([source], out, JPEGLS)
    (source / "plate µ/field 9.ome.tif").unlink()
    os.utime(source / "plate µ/field 0.ome.tif", (0, 0))
    with pytest.raises(UsageError, match="has changed since the plan was made"):
        make_plan([source], out, JPEGLS)


def test_an_unreadable_file_among_others(source: Path, tmp_path: Path) -> None:
    (source / "broken.tif").write_bytes(b"II*\0nothing")
    with pytest.raises(ImageError, match=r"broken\.tif"):
        make_plan([source], tmp_path / "out", JPEGLS)
    assert not (tmp_path / "out").exists()
    skipping = Wanted(codec="jpegls:max_error=3", chunk=64, skip_unreadable=True)
    plan, notes = make_plan([source], tmp_path / "out", skipping)
    assert len(plan.images) == 2
    assert any("broken.tif is left out" in note for note in notes)
    assert any("notes.txt" in note for note in notes)


@pytest.mark.processes
@pytest.mark.long
def test_a_killed_run_goes_on(source: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    for one in (out, whole):
        make_plan([source], one, JPEGLS)
    client = multiprocessing.get_context("spawn").Process(target=run, args=(out,))
    client.start()
    ledger = out / "cytopress/ledger/part-1-of-1.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (
        ledger.is_file() and len(ledger.read_bytes().splitlines()) > 1
    ):
        time.sleep(0.05)
    os.kill(client.pid or 0, signal.SIGKILL)
    client.join()
    assert run(out, workers=2).complete
    assert run(whole).complete
    assert tree(out) == tree(whole)


def test_the_way_back_and_the_history_of_loss(source: Path, tmp_path: Path) -> None:
    out = archived(source, tmp_path / "out")
    decoded = zarr.open_group(str(out / "plate µ/field 1.ome.zarr"), mode="r")["0"][0, :, 0]
    assert export(out, tmp_path / "tiffs", "ome-tiff") == 2
    path = tmp_path / "tiffs/plate µ/field 1.ome.tif"
    np.testing.assert_array_equal(tifffile.imread(path), decoded)
    images = read(path)
    assert [image.name for image in images] == ["C=DNA", "C=ER"]
    assert images[0].spacing_um == (0.3, 0.3)
    assert export(out, tmp_path / "zarrs", "everyone") == 2
    again = zarr.open_group(str(tmp_path / "zarrs/plate µ/field 1.ome.zarr"), mode="r")
    np.testing.assert_array_equal(again["0"][0, :, 0], decoded)
    # Without loss in itself, and still lossy.
    first, second = again.attrs["cytopress"]["history"]
    assert (first["lossy"], second["lossy"], again.attrs["cytopress"]["lossy"]) == (
        True,
        False,
        True,
    )
    _, notes = make_plan([tmp_path / "zarrs"], tmp_path / "third", JPEGLS)
    assert any("Coded with loss before" in note for note in notes)
    with pytest.raises(UsageError, match="lies in the archive"):
        export(out, out / "tiffs", "ome-tiff")


@pytest.mark.parametrize("damage", ["lost", "truncated", "flipped", "swapped"])
def test_a_damaged_archive_is_not_exported(source: Path, tmp_path: Path, damage: str) -> None:
    """Zarr reads a lost shard as black, without a word."""
    out = archived(source, tmp_path / "out")
    one, other = sorted(path for path in out.rglob("0/c/**/*") if path.is_file())[:2]
    data = bytearray(one.read_bytes())
    if damage == "lost":
        one.unlink()
    elif damage == "truncated":
        one.write_bytes(data[:-1])
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
        one.write_bytes(data)
    else:
        one.write_bytes(other.read_bytes())
        other.write_bytes(data)
    for form in ("ome-tiff", "everyone"):
        with pytest.raises(StoreError, match=r"damaged, such as plate µ/field 0\.ome\.zarr/0/c/0"):
            export(out, tmp_path / "back", form)
    assert not (tmp_path / "back").exists()


def test_jpeg_in_tiff_counts_as_loss(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, (field(0)[0] // 16).astype(np.uint8), compression="jpeg")
    _, notes = make_plan([path], tmp_path / "out", Wanted(codec="jpegls:max_error=2", chunk=64))
    assert any("JPEG in TIFF" in note for note in notes)
    _, notes = make_plan([path], tmp_path / "lossless", Wanted(chunk=64))
    assert not any("JPEG in TIFF" in note for note in notes)


def test_a_lossless_codec_that_loses_is_caught(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_plan([source], tmp_path / "out", Wanted(chunk=64))
    encode = ChunkCoding.encode
    monkeypatch.setattr(
        ChunkCoding, "encode", lambda self, chunk, form: encode(self, chunk ^ np.uint16(1), form)
    )
    found = run(tmp_path / "out")
    assert not found.complete
    assert all("cannot be coded finer" in why for why in found.failed.values())
