"""The store refuses what it cannot use, and a failing disk costs nothing that was done."""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cytopress.errors import StoreError
from cytopress.settings import Settings
from cytopress.study import store
from cytopress.study.execute import execute
from cytopress.study.schema import FILE, VERSION
from cytopress.study.spec import Study
from cytopress.study.store import load_results

from .conftest import MakeDataset

MakeStudy = Callable[..., Study]


@pytest.fixture
def out(make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path) -> Path:
    make_dataset()
    execute(study_of(), tmp_path / "out", settings=settings)
    return tmp_path / "out"


def test_a_store_of_a_newer_version(out: Path, study_of: MakeStudy, settings: Settings) -> None:
    with sqlite3.connect(out / FILE) as db:
        db.execute(f"PRAGMA user_version={VERSION + 1}")
    db.close()
    before = (out / FILE).read_bytes()
    with pytest.raises(StoreError, match="a newer cytopress wrote this store"):
        load_results(out)
    with pytest.raises(StoreError, match="update cytopress"):
        execute(study_of(), out, settings=settings)
    assert (out / FILE).read_bytes() == before


def test_other_files_are_not_stores(out: Path, study_of: MakeStudy, settings: Settings) -> None:
    (out / FILE).write_bytes(b"no database at all, but long enough to be looked at" * 99)
    with pytest.raises(StoreError, match="not a whole study store"):
        load_results(out)
    (out / FILE).unlink()
    with sqlite3.connect(out / FILE) as db:
        db.execute("CREATE TABLE other (x)")
    db.close()
    with pytest.raises(StoreError, match="not a study store"):
        execute(study_of(), out, settings=settings)
    with pytest.raises(StoreError, match="there is no study"):
        load_results(out / "elsewhere")


@pytest.mark.parametrize("moment", ["opened", "in WAL mode"])
def test_a_kill_before_anything_is_in_the_store(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    moment: str,
) -> None:
    make_dataset()
    (tmp_path / FILE).touch()
    if moment == "in WAL mode":
        with sqlite3.connect(tmp_path / FILE) as db:
            db.execute("PRAGMA journal_mode=WAL")
        db.close()
    with pytest.raises(StoreError, match="has not begun; run it again"):
        load_results(tmp_path)
    assert execute(study_of(), tmp_path, settings=settings).trials_done == 8


def test_results_are_read_while_they_are_written(
    out: Path, study_of: MakeStudy, settings: Settings
) -> None:
    seen: list[tuple[int, int]] = []

    def look(done: int, total: int, now: str) -> None:
        if now == "trials":
            results = load_results(out)
            seen.append((results.trials_done, results.trials_planned))

    more = '[[codecs]]\nspec = "jpegls"\nmax_error = [1, 4, 6]\n'
    execute(study_of(codecs=more), out, settings=settings, progress=look)
    assert seen == [(done, 12) for done in range(8, 13)]


def test_a_store_in_a_folder_that_nobody_may_write(out: Path) -> None:
    before = load_results(out)
    for leftover in (f"{FILE}-wal", f"{FILE}-shm"):
        (out / leftover).unlink(missing_ok=True)
    out.chmod(0o555)
    (out / FILE).chmod(0o444)
    try:
        assert list(load_results(out).trials) == list(before.trials)
    finally:
        out.chmod(0o755)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 320 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=320k", "tmpfs", str(folder)]
    if os.name == "nt" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root of a Linux machine can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up(
    small_disk: Path,
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
) -> None:
    make_dataset(shape=(120, 130))
    study = study_of(codecs='[[codecs]]\nspec = "jpegls"\nmax_error = [1, 2, 3, 4, 5, 6, 7]\n')
    with pytest.raises(StoreError, match="the disk is full") as caught:
        execute(study, small_disk, settings=settings)
    assert "run the same command again" in str(caught.value)
    done = load_results(small_disk).trials_done
    assert 0 < done < 28
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    resumed = execute(study, small_disk, settings=settings)
    assert resumed.trials_done == 28
    with sqlite3.connect(small_disk / FILE) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_full_disk_is_told_without_a_small_one(
    out: Path, study_of: MakeStudy, settings: Settings
) -> None:
    with sqlite3.connect(out / FILE) as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.close()
    more = '[[codecs]]\nspec = "jpegls"\nmax_error = [1, 2, 4]\n'

    # A page limit fails as a full disk does; it holds for one connection only.
    with pytest.MonkeyPatch.context() as patch:
        connect = store.connect_to_write

        def connect_limited(path: Path) -> sqlite3.Connection:
            connection = connect(path)
            connection.execute(f"PRAGMA max_page_count={pages + 1}")
            return connection

        patch.setattr(store, "connect_to_write", connect_limited)
        with pytest.raises(StoreError, match="the disk is full"):
            execute(study_of(codecs=more), out, settings=settings)
    assert execute(study_of(codecs=more), out, settings=settings).trials_done == 12


def test_several_machines_are_all_told(
    out: Path, study_of: MakeStudy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "cytopress.study.execute.versions", lambda: {"cytopress": "9.9", "python": "3"}
    )
    execute(study_of(), out, settings=settings)
    results = load_results(out)
    assert results.versions["cytopress"].endswith(", then 9.9")
    assert results.machine["processors"].isdigit()
