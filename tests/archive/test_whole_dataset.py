"""A whole data set archived in each way, with kills: every shard and zarr.json ends the same.

``ARCHIVE_FIELDS=6 pytest -m slow tests/archive/test_whole_dataset.py`` takes fewer fields.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.archive.certificate import rows_of
from cytopress.archive.stores import Location
from cytopress.archive.verify import verify
from cytopress.datasets.catalogue import dataset
from fakes.archives import tree
from fakes.processes import children
from fakes.s3_server import make_bucket, s3_server

pytest.importorskip("yaozarrs")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.data,
    pytest.mark.processes,
    pytest.mark.timeout(3600),
    # botocore and moto, not us.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
FIELDS = int(os.environ.get("ARCHIVE_FIELDS", "60"))
# Two resolutions, and chunks that the edges cut.
SHAPE = (1030, 300)
CHANNELS = {"DNA": "jpegls:max_error=4", "ER": "jpeg2000:psnr=45", "phase": "jpegls"}


def pixels(images: list[np.ndarray], number: int) -> np.ndarray:
    """Return a field (C, Y, X): crops of real images, of which no two fields have the same."""
    random = np.random.default_rng(number)
    crops = []
    for channel in range(len(CHANNELS)):
        image = images[(number + channel) % len(images)]
        repeats = [-(-2 * length // have) for length, have in zip(SHAPE, image.shape, strict=True)]
        y, x = (random.integers(length) for length in SHAPE)
        crops.append(np.tile(image, repeats)[y : y + SHAPE[0], x : x + SHAPE[1]])
    return np.stack(crops)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = dataset("ecoli-phase")
    fields = data.part("test")[:8]
    images = [data.read_input(one).pixels for one in fields]
    folder = tmp_path_factory.mktemp("whole") / "fields of µ"
    folder.mkdir()
    names = {"axes": "CYX", "Channel": {"Name": list(CHANNELS)}, "PhysicalSizeX": 0.1}
    for number in range(FIELDS):
        path = folder / f"field {number:02}.ome.tif"
        tifffile.imwrite(path, pixels(images, number), metadata=names, photometric="minisblack")
    return folder


def command(*arguments: object) -> list[str]:
    return [
        sys.executable,
        "-c",
        "from cytopress.cli import main; main()",
        "archive",
        *map(str, arguments),
    ]


def plan(source: Path, out: Location) -> None:
    specs = [f"--channel={name}={spec}" for name, spec in CHANNELS.items()]
    subprocess.run(command("plan", source, out, "--lossless", "--chunk=256", *specs), check=True)


@pytest.fixture(scope="module")
def whole(source: Path) -> dict[str, str]:
    """Return the digests of an archive of a run that nothing disturbed."""
    out = source.parent / "whole"
    plan(source, out)
    subprocess.run(command("run", out, "--workers=2"), check=True)
    found = tree(out)
    # Of two resolutions of three channels.
    assert sum("/c/" in key for key in found) == FIELDS * 6
    return found


def disturb(out: Location, *options: str, workers: Callable[[int], list[int]] = children) -> None:
    """Begin a run, kill one of its workers, later itself; then run the same command again."""
    with subprocess.Popen(command("run", out, *options)) as client:
        shards = FIELDS * 6
        until(client, lambda: len(rows_of(out)) >= shards // 6 and bool(workers(client.pid)))
        os.kill(workers(client.pid)[0], signal.SIGKILL)
        until(client, lambda: len(rows_of(out)) >= shards // 2)
        assert client.poll() is None
        client.kill()
    assert 0 < len(rows_of(out)) < shards
    subprocess.run(command("run", out, *options), check=True)


def until(client: subprocess.Popen, ready: Callable[[], bool]) -> None:
    while not ready():
        assert client.poll() is None
        time.sleep(0.1)


def is_sound(out: Location, source: Path, whole: Mapping[str, str]) -> None:
    assert tree(out) == whole
    # JPEG 2000 computes in floating point.
    found = verify(out, depth="full", against=source, workers=2, accept_inexact=True)
    assert (found.passed, found.fit, found.failures, found.reasons) == (True, True, {}, [])
    assert found.checked == FIELDS * 6


def test_processes(source: Path, whole: Mapping[str, str]) -> None:
    out = source.parent / "killed"
    plan(source, out)
    disturb(out, "--workers=2")
    is_sound(out, source, whole)


def test_a_scheduler(source: Path, whole: Mapping[str, str]) -> None:
    distributed = pytest.importorskip("distributed")
    out = source.parent / "by dask"
    plan(source, out)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1",
        protocol="tcp", local_directory=str(source.parent / "dask"),
    ) as cluster:  # fmt: skip
        workers = [nanny.process.pid for nanny in cluster.workers.values()]
        address = cluster.scheduler_address
        disturb(out, f"--scheduler={address}", workers=lambda _: workers)
    is_sound(out, source, whole)


def test_parts(source: Path, whole: Mapping[str, str]) -> None:
    out = source.parent / "in parts"
    plan(source, out)
    parts = [command("run", out, f"--part={number}/3", "--workers=1") for number in (1, 2, 3)]
    running = [subprocess.Popen(one) for one in parts]
    until(running[1], lambda: len(rows_of(out)) >= FIELDS)
    running[1].kill()
    assert [one.wait() for one in running] == [0, -signal.SIGKILL, 0]
    subprocess.run(parts[1], check=True)
    is_sound(out, source, whole)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    pytest.importorskip("obstore")
    with s3_server() as endpoint:
        make_bucket(endpoint, "whole", monkeypatch)
        yield "s3://whole/fields of µ"


def test_a_bucket(source: Path, whole: Mapping[str, str], bucket: str) -> None:
    plan(source, bucket)
    disturb(bucket, "--workers=2")
    is_sound(bucket, source, whole)
