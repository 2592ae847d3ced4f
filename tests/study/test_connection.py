"""A store is read wherever it lies, and written wherever a file can be locked."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cytopress.errors import CytopressWarning, StoreError
from cytopress.lock import locked
from cytopress.settings import Settings
from cytopress.study import connection
from cytopress.study.connection import connect_to_read, connect_to_write
from cytopress.study.execute import LOCK, execute
from cytopress.study.network_file_system import network_file_system
from cytopress.study.schema import FILE
from cytopress.study.spec import Study
from cytopress.study.store import load_results

from .conftest import MakeDataset

MakeStudy = Callable[..., Study]
MOUNTS = r"""
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/local xfs rw 0 0
//server/lab /mnt/lab\040share cifs rw 0 0
me@server: /mnt/by-ssh fuse.sshfs rw 0 0
/dev/sdc1 /mnt/twice ext4 rw 0 0
server:/twice /mnt/twice nfs rw 0 0
""".lstrip()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Copy the files of a folder to where nobody can write."""
    place = tmp_path / "media"
    place.mkdir()
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)]
    if root and subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("root can write everywhere, and cannot mount here")

    def copy(folder: Path) -> Path:
        for file in folder.iterdir():
            if file.is_file() and not file.name.endswith("-shm"):
                shutil.copy(file, place)
        if root:
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        place.chmod(0o555) if not root else None
        return place

    yield copy
    if root:
        subprocess.run(["umount", str(place)], check=True)
    else:
        place.chmod(0o755)


def journal_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return str(db.execute("PRAGMA journal_mode").fetchone()[0])


def test_an_interrupted_study_on_read_only_media_is_whole(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    read_only: Callable[[Path], Path],
) -> None:
    make_dataset()
    out, copied = tmp_path / "out", tmp_path / "copied"

    def interrupt(done: int, total: int, now: str) -> None:
        if (done, now) == (5, "trials"):
            # What a kill at this moment leaves.
            shutil.copytree(out, copied)

    execute(study_of(), out, settings=settings, progress=interrupt)
    assert (copied / f"{FILE}-wal").stat().st_size > 0
    results = load_results(read_only(copied))
    assert (results.trials_done, results.trials_planned) == (5, 8)
    assert any(results.previews(trial.key) for trial in results.trials)


def test_an_unfinished_transaction_on_read_only_media_is_left_out(
    tmp_path: Path, read_only: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "network_file_system", lambda folder: "nfs4")
    out, copied = tmp_path / "out", tmp_path / "copied"
    out.mkdir()
    with pytest.warns(CytopressWarning, match="network"):
        opened = connect_to_write(out / FILE)
    with closing(opened) as db:
        db.executemany(
            "INSERT INTO trials VALUES (?, ?)", [(f"a{i}", "x" * 900) for i in range(99)]
        )
        db.execute("PRAGMA cache_size=2")
        db.execute("BEGIN")
        db.execute("UPDATE trials SET outcome = 'changed'")
        shutil.copytree(out, copied)
        db.execute("ROLLBACK")
    assert b"changed" in (copied / FILE).read_bytes()
    with closing(connect_to_read(read_only(copied) / FILE)) as db:
        assert db.execute("SELECT DISTINCT outcome FROM trials").fetchall() == [("x" * 900,)]


def test_a_log_that_was_not_copied_along_is_named(tmp_path: Path) -> None:
    with closing(connect_to_write(tmp_path / FILE)):
        (tmp_path / "copied").mkdir()
        shutil.copy(tmp_path / FILE, tmp_path / "copied")
    with pytest.raises(StoreError, match=rf"has not begun; run it again.*copy {FILE}-wal as well"):
        load_results(tmp_path / "copied")


def test_on_a_network_file_system_a_study_does_without_a_log(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    out = tmp_path / "out"
    whole = execute(study_of(), tmp_path / "whole", settings=settings)
    # Begun on a disk, moved, and resumed.
    first = execute(study_of(dataset="limit = 1"), out, settings=settings)
    assert journal_of(out / FILE) == "wal"
    monkeypatch.setattr(connection, "network_file_system", lambda folder: "nfs4")
    seen: list[int] = []

    def look(done: int, total: int, now: str) -> None:
        if now == "trials":
            seen.append(load_results(out).trials_done)

    with pytest.warns(CytopressWarning, match=r"log does not work on a network.*\(nfs4\)"):
        moved = execute(study_of(), out, settings=settings, progress=look)
    assert journal_of(out / FILE) == "delete"
    # Read while it was written, and nothing done twice.
    assert seen == [4, 5, 6, 7, 8]
    done = {trial.key for trial in first.trials}
    assert tuple(trial for trial in moved.trials if trial.key in done) == first.trials
    assert [t.scores for t in moved.trials] == [t.scores for t in whole.trials]


def test_where_memory_cannot_be_shared_a_study_does_without_a_log(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    # Any reason will do: here the index of the log cannot be made.
    (tmp_path / "out" / f"{FILE}-shm").mkdir(parents=True)
    with pytest.warns(CytopressWarning, match=r"write-ahead log does not work here"):
        results = execute(study_of(), tmp_path / "out", settings=settings)
    assert results.trials_done == 8
    assert journal_of(tmp_path / "out" / FILE) == "delete"


@pytest.mark.skipif(os.name == "nt", reason="the table is of Linux")
def test_network_file_systems_are_known_by_the_table_of_mounts(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text(MOUNTS)
    for folder, kind in (
        ("/home/me/study", "nfs4"),
        ("/home/local/me", None),
        ("/homes", None),
        ("/data", None),
        ("/mnt/lab share/out", "cifs"),
        ("/mnt/by-ssh", "fuse.sshfs"),
        ("/mnt/twice/out", "nfs"),
    ):
        assert network_file_system(Path(folder), table) == kind
    assert network_file_system(tmp_path, tmp_path / "absent") is None


def test_a_second_run_into_a_folder_ends_before_it_reads_or_trains(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    steps: list[object] = []
    with (
        locked(tmp_path / "out", LOCK, "running a study"),
        pytest.raises(StoreError, match="another process is running a study here"),
    ):
        execute(
            study_of(), tmp_path / "out", settings=settings, progress=lambda *s: steps.append(s)
        )
    assert steps == []
