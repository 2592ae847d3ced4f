"""Runs of an archive: in parts, on a cluster, killed, on a full disk, beside one another."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cytopress.archive import run as runs
from cytopress.archive import shard
from cytopress.archive.certificate import rows_of
from cytopress.archive.planning import make_plan
from cytopress.archive.run import Part, run
from cytopress.archive.stores import DEBRIS, store_of
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.batch import cluster
from cytopress.callbacks import no_progress
from cytopress.errors import StoreError, UsageError
from fakes import deadly_shards
from fakes.archives import in_this_process, tree, write_fields
from fakes.processes import children

pytest.importorskip("yaozarrs")
JPEGLS = Wanted(codec="jpegls:max_error=3", chunk=64)


@pytest.fixture(autouse=True)
def _in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "processes" not in request.keywords:
        monkeypatch.setattr(runs, "run_tasks", in_this_process)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_fields(tmp_path / "in", 4)


@pytest.fixture
def whole(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an archive of an undisturbed run."""
    with monkeypatch.context() as patch:
        patch.setattr(runs, "run_tasks", in_this_process)
        make_plan([source], tmp_path / "whole", JPEGLS)
        assert run(tmp_path / "whole").complete
    return tmp_path / "whole"


@pytest.fixture
def out(source: Path, tmp_path: Path) -> Path:
    make_plan([source], tmp_path / "out", JPEGLS)
    return tmp_path / "out"


def test_parts_at_once_make_the_same_archive(source: Path, whole: Path, out: Path) -> None:
    """They create and carry at the same time, and all finish after the last shard of all."""
    barrier = threading.Barrier(3)
    results, failures = [], []

    def work(number: int) -> None:
        def meet(done: int, total: int, text: str) -> None:
            if done == total:
                barrier.wait(60)

        try:
            results.append(run(out, part=Part(number, 3), progress=meet))
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures
    assert any(result.complete for result in results)
    assert tree(out) == tree(whole)
    assert verify(out, depth="full", against=source).passed


def test_no_run_beside_one_that_divides_in_another_way(out: Path) -> None:
    before = tree(out)
    with store_of(out).locked("part-2-of-3.archive.lock", "writing the archive"):
        with pytest.raises(StoreError, match="another process is writing the archive here"):
            run(out)
        with pytest.raises(StoreError, match="another process is writing the archive here"):
            run(out, part=Part(1, 2))
        assert tree(out) == before
        run(out, part=Part(1, 3))


def test_a_full_disk_stops_the_run_and_loses_nothing(
    whole: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zarr.storage._local as local

    put, left = local._put, [3]

    def full(path: Path, *args, **kwargs) -> int:
        if "/c/" in path.as_posix():
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return put(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(local, "_put", full)
        with pytest.raises(StoreError, match=r"out: the disk is full; free some space and run"):
            run(out)
    assert len(rows_of(out)) == 3
    assert run(out).complete
    assert tree(out) == tree(whole)


def test_a_run_tells_bytes_ratio_and_failures(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(task: shard.ShardTask) -> dict:
        if "field 1" in task.key:
            return {"error": "its file is damaged."}
        return shard.write_shard(task)

    monkeypatch.setattr(runs, "write_shard", fail)
    told: list[tuple[int, int, str]] = []
    found = run(out, progress=lambda *one: told.append(one))
    assert not found.complete
    assert len(found.failed) == 2
    assert len(found.rows) == len(told) == 8
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1][:2] == (6 * 39000, 8 * 39000)
    assert told[-1][2].startswith("234 kB of 312 kB, ")
    assert told[-1][2].endswith("x smaller, 2 failed")
    monkeypatch.undo()
    monkeypatch.setattr(runs, "run_tasks", in_this_process)
    assert run(out).complete


def test_debris_of_killed_processes_is_removed(whole: Path, out: Path) -> None:
    before = tree(whole)
    (whole / f"field 0 µ.ome.zarr/0/c/0.x1{DEBRIS}").write_bytes(b"half")
    (whole / "cytopress/.part-abcplan.json").write_bytes(b"half")
    next(whole.rglob("0/c/0/1/0/0/0")).unlink()
    assert run(whole).complete
    assert tree(whole) == before
    assert not list(whole.rglob(".part-*"))


def test_a_whole_archive_is_left_as_it_is(whole: Path) -> None:
    def state() -> dict[Path, int]:
        files = (path for path in whole.rglob("*") if path.is_file() and path.suffix != ".lock")
        return {path: path.stat().st_mtime_ns for path in files}

    before = state()
    assert run(whole).complete
    assert state() == before


def _slow_run(out: Path, workers: int) -> None:
    """Run in a process of its own, with shards that take some time."""
    run(out, workers=workers, progress=no_progress)


def _until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.processes
@pytest.mark.slow
def test_kills_of_a_worker_and_of_the_client_change_no_byte(
    source: Path, whole: Path, out: Path
) -> None:
    client = multiprocessing.get_context("spawn").Process(target=_slow_run, args=(out, 2))
    client.start()
    assert client.pid is not None
    _until(lambda: len(rows_of(out)) >= 1 and len(children(client.pid)) >= 1)
    os.kill(children(client.pid)[0], signal.SIGKILL)
    _until(lambda: len(rows_of(out)) >= 2 or not client.is_alive())
    client.kill()
    client.join()
    assert run(out, workers=2).complete
    assert tree(out) == tree(whole)
    assert verify(out, depth="full", against=source).passed


@contextmanager
def scheduler(folder: Path, **options: object) -> Iterator[str]:
    """Start a scheduler with workers; give its address."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        threads_per_worker=1, dashboard_address=None, host="127.0.0.1",
        local_directory=str(folder), protocol="tcp", **options,
    ) as local:  # fmt: skip
        yield local.scheduler_address


def test_a_cluster_makes_the_same_archive(whole: Path, out: Path, tmp_path: Path) -> None:
    with scheduler(tmp_path / "dask", n_workers=1, processes=False) as address:
        assert run(out, scheduler=address).complete
    assert tree(out) == tree(whole)


@pytest.mark.processes
@pytest.mark.slow
def test_shards_that_kill_every_worker_fail_and_the_others_are_written(
    whole: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scheduler(tmp_path / "dask", n_workers=2) as address:
        _work_with_deadly_shards(whole, out, address, monkeypatch)


def _work_with_deadly_shards(
    whole: Path, out: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(runs, "write_shard", deadly_shards.write_shard)
        found = run(out, scheduler=address)
    assert set(found.failed) == {
        key for key in tree(whole) if key.startswith(deadly_shards.DEADLY) and "/c/" in key
    }
    assert all("workers that wrote it died" in why for why in found.failed.values())
    assert len(found.rows) == 8
    assert run(out, scheduler=address).complete
    assert tree(out) == tree(whole)


def test_a_scheduler_that_does_not_answer_is_one_sentence(out: Path, monkeypatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(UsageError, match=r"--scheduler tcp://127.0.0.1:9: no dask scheduler"):
        run(out, scheduler="tcp://127.0.0.1:9")
