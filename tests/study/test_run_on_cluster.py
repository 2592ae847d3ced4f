"""A cluster gives the table that one process gives, also if a worker dies."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cytopress.errors import UsageError
from cytopress.settings import Settings
from cytopress.study import inspect_datasets
from cytopress.study.execute import execute
from cytopress.study.spec import Study
from cytopress.study.trial import Trial
from fakes.watched_task import Watched

from .conftest import MakeDataset

pytestmark = pytest.mark.long
distributed = pytest.importorskip("distributed", reason="needs the extra dask")

CODECS = """
[[codecs]]
spec = "jpegls"
psnr = [30, 35, 40, 45, 50]
[[codecs]]
spec = "jpegls"
ratio = [2, 4, 8, 100000]
[[codecs]]
spec = "jpegls"
"""


@pytest.fixture
def study(study_of: Callable[..., Study], make_dataset: MakeDataset) -> Study:
    make_dataset(shape=(300, 310))
    return study_of(codecs=CODECS)


def table(trials: object) -> list[Trial]:
    return [replace(trial, encode_s=None, decode_s=None) for trial in trials]  # type: ignore[attr-defined]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """A scheduler and two workers, each a process of its own; the address and the workers."""
    address_file = tmp_path / "scheduler.json"
    shared = ["--scheduler-file", str(address_file), "--no-dashboard"]
    dask = [sys.executable, "-m", "dask"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    quiet: dict[str, Any] = {"cwd": tmp_path, "env": environment}
    quiet |= dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
    started = [
        subprocess.Popen(
            [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *shared], **quiet
        )
    ]
    try:
        for name in ("one", "two"):
            options = ["--nthreads", "1", "--no-nanny", "--name", name]
            folder = ["--local-directory", str(tmp_path / name)]
            started.append(subprocess.Popen([*dask, "worker", *shared, *options, *folder], **quiet))
        until = time.monotonic() + 60
        while not address_file.exists() and time.monotonic() < until:
            time.sleep(0.1)
        with distributed.Client(scheduler_file=str(address_file), timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait(30)


def test_a_worker_dies_and_the_study_ends_the_same(
    study: Study,
    settings: Settings,
    tmp_path: Path,
    cluster: tuple[str, list["subprocess.Popen[bytes]"]],
) -> None:
    address, workers = cluster
    alone = execute(study, tmp_path / "alone", settings=settings)
    left: list[int] = []

    def kill_one(done: int, total: int, now: str) -> None:
        if now == "trials" and done >= 5 and not left:
            assert all(worker.poll() is None for worker in workers)
            workers[0].kill()
            workers[0].wait(30)
            left.append(total - done)

    together = execute(
        study, tmp_path / "together", settings=settings, scheduler=address, progress=kill_one
    )
    assert left == [35]
    assert table(together.trials) == table(alone.trials)


def test_a_trial_that_kills_every_worker_is_a_failure_and_ends_no_study(
    study_of: Callable[..., Study],
    make_dataset: MakeDataset,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    notes = tmp_path / "notes"
    notes.mkdir()
    tasks = [Watched(notes)]
    monkeypatch.setattr(inspect_datasets, "task", lambda name, settings: tasks[0])
    # Rounded to steps of 1001 counts, an image of 12 bits has no more than five values.
    codecs = CODECS + '[[codecs]]\nspec = "round-zstd"\nmax_error = [500]\n'
    study = study_of(codecs=codecs, dataset='fields = ["e1-0"]\ntasks = ["fake/watched"]')
    alone = execute(study, tmp_path / "alone", settings=settings)
    tasks[0] = Watched(notes, fatal=6)
    # A nanny starts a worker again that dies, as after its memory limit.
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            dashboard_address=":0",
            scheduler_kwargs={"allowed_failures": 1},
        ) as cluster,
    ):
        address = cluster.scheduler_address
        results = execute(study, tmp_path / "out", settings=settings, scheduler=address)
        for one, other in zip(table(results.trials), table(alone.trials), strict=True):
            if one.codec == "round-zstd":
                assert "the workers that ran this trial died" in one.error
                assert one.coded_bytes is None
            else:
                assert one == other
        tasks[0] = Watched(notes)
        again = execute(study, tmp_path / "out", settings=settings, scheduler=address)
        assert table(again.trials) == table(alone.trials)


def test_a_study_ends_in_a_sentence_where_no_worker_is_left(
    study_of: Callable[..., Study],
    make_dataset: MakeDataset,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cluster: tuple[str, list["subprocess.Popen[bytes]"]],
) -> None:
    make_dataset()
    notes = tmp_path / "notes"
    notes.mkdir()
    # It kills every worker, and nobody starts them again.
    task = Watched(notes, fatal=2**16)
    monkeypatch.setattr(inspect_datasets, "task", lambda name, settings: task)
    monkeypatch.setattr("cytopress.study.run_on_cluster.PATIENCE", 1)
    study = study_of(codecs=CODECS, dataset='fields = ["e1-0"]\ntasks = ["fake/watched"]')
    with pytest.raises(UsageError, match=r"all workers are gone; start it .* goes on where"):
        execute(study, tmp_path / "out", settings=settings, scheduler=cluster[0])


def test_no_scheduler_at_the_address(
    study: Study, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cytopress.study.run_on_cluster.PATIENCE", 1)
    with pytest.raises(UsageError, match="no dask scheduler answers"):
        execute(study, tmp_path / "out", settings=settings, scheduler="tcp://127.0.0.1:9")


def test_processes_and_a_scheduler_at_once(
    study: Study, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="either --jobs"):
        execute(study, tmp_path / "out", settings=settings, jobs=2, scheduler="tcp://127.0.0.1:9")
