"""Costs told before an archive is written, held against what it then takes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from cytopress.archive import inspecting
from cytopress.archive.costs import costs_of
from cytopress.archive.memory import parse_bytes, worker_bytes
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.wanted import Wanted
from cytopress.cli.app import app
from cytopress.errors import UsageError

pytest.importorskip("yaozarrs")
EDGE = 256


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with three fields of two channels, in strips of 64 rows."""
    monkeypatch.setattr(inspecting, "SMALL", 128)
    y, x = np.mgrid[:EDGE, :EDGE]
    for seed in range(3):
        light = 900 + 300 * np.sin(x / 9 + seed) * np.cos(y / 7)
        pixels = np.random.default_rng(seed).normal([light, light / 2], 9).astype(np.uint16)
        path = tmp_path / f"source/{seed}.ome.tif"
        path.parent.mkdir(exist_ok=True)
        names = {"axes": "CYX", "Channel": {"Name": ["DNA", "ER"]}}
        tifffile.imwrite(path, pixels, metadata=names, rowsperstrip=64, compression="zlib")
    return path.parent


def test_bytes_are_those_that_the_archive_takes(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(tasks, work, ledger, *, processes, purpose):  # type: ignore[no-untyped-def]
        for task in tasks:
            row = {"key": task.key, "error": "", **work(task)}
            ledger.add(row)
            yield row

    monkeypatch.setattr("cytopress.archive.run.run_tasks", work)
    out = tmp_path / "out"
    plan, _ = make_plan([source], out, Wanted(codec="jpegls:max_error=4", chunk=128))
    costs = costs_of(plan)
    assert sum(one.raw_bytes for one in costs.channels) == plan.raw_bytes
    assert costs.seconds > 0
    rows = run(out).rows
    for number, one in enumerate(costs.channels):
        full = [row for key, row in rows.items() if f"zarr/0/c/0/{number}/" in key]
        below = [row for key, row in rows.items() if f"zarr/1/c/0/{number}/" in key]
        assert one.coded_bytes == pytest.approx(sum(r["coded_bytes"] for r in full), rel=0.05)
        assert one.pyramid_bytes == pytest.approx(sum(r["coded_bytes"] for r in below), rel=0.15)


@pytest.mark.parametrize(
    ("shard", "times"),
    [
        # Whole planes, and parts that begin and end with strips.
        ((256, 256), 1.0),
        ((128, 256), 1.0),
        # Half a strip decodes it twice; half a row decodes all strips for both halves.
        ((32, 256), 2.0),
        ((256, 128), 2.0),
        ((32, 128), 4.0),
    ],
)
def test_strips_that_several_shards_cut_are_read_again(
    source: Path, tmp_path: Path, shard: tuple[int, int], times: float
) -> None:
    wanted = Wanted(codec="jpegls:near=4", chunk=32)
    plan, _ = make_plan([source], tmp_path / "out", wanted)
    images = tuple(replace(image, shard=(1, 1, 1, *shard)) for image in plan.images)
    assert costs_of(replace(plan, images=images)).read_amplification == pytest.approx(times)


def test_strips_that_are_not_coded_are_read_where_they_are_wanted(tmp_path: Path) -> None:
    flat = np.random.default_rng(0).integers(0, 4000, (256, 256)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "flat.tif", flat)
    wanted = Wanted(codec="jpegls:near=4", chunk=32)
    plan, _ = make_plan([tmp_path / "flat.tif"], tmp_path / "out", wanted)
    images = tuple(replace(image, shard=(1, 1, 1, 32, 128)) for image in plan.images)
    assert costs_of(replace(plan, images=images)).read_amplification == 1


def test_memory_chooses_the_shard(source: Path, tmp_path: Path) -> None:
    big = np.zeros((2048, 2048), np.uint16)
    tifffile.imwrite(tmp_path / "big.tif", big)
    shapes = []
    for number, memory in enumerate((None, parse_bytes("320MB"), parse_bytes("305 MB"))):
        wanted = Wanted(codec="jpegls:near=4", chunk=128, memory=memory)
        plan, _ = make_plan([tmp_path / "big.tif"], tmp_path / f"out{number}", wanted)
        (image,) = plan.images
        shapes.append(image.shard[-2:])
        assert memory is None or worker_bytes(image, plan.codings[0]) <= memory
    assert shapes[0] == (2048, 2048)
    assert np.prod(shapes[0]) > np.prod(shapes[1]) > np.prod(shapes[2])
    with pytest.raises(UsageError, match="needs at least"):
        make_plan([source], tmp_path / "none", Wanted(codec="jpegls", memory=10**7))


@pytest.mark.parametrize(
    ("text", "size"), [("8GB", 8 * 10**9), ("512 MiB", 2**29), ("1.5gb", 15 * 10**8), ("77", 77)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "8 parsecs", "0", "1e9"])
def test_wrong_sizes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="such as 8GB"):
        parse_bytes(text)


def test_the_command_tells_costs_by_channel(source: Path, tmp_path: Path) -> None:
    call = ["archive", "plan", str(source), str(tmp_path / "out"), "--codec", "jpegls:max_error=4"]
    result = CliRunner().invoke(app, [*call, "--chunk", "64", "--memory", "4GB"])
    assert result.exit_code == 0, result.output
    assert re.search(r"^DNA: 393 kB -> [0-9.]+ kB, 1 s of one worker$", result.output, re.M)
    assert re.search(
        r"^Expected: .* lower resolutions; .* of memory a worker$", result.output, re.M
    )
    assert not (tmp_path / "out/0.ome.zarr").exists()
    for options in ([], ["--codec", "jpegls", "--lossless"], ["--lossless", "--task", "x"]):
        wrong = CliRunner().invoke(app, ["archive", "plan", str(source), "o", *options])
        assert isinstance(wrong.exception, UsageError)
