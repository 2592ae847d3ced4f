"""Folder runs: resumable, one bad file costs one file, one run at a time."""

import os
import shutil
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from cytopress.codecs.spec import codec
from cytopress.errors import CytopressError, StoreError, UsageError
from cytopress.figures import shown_bytes, shown_time
from cytopress.files.find import LEDGER, find_coded
from cytopress.files.folder import FolderResult, FolderRun, run_folder
from cytopress.files.folder_work import encoding
from cytopress.settings import Settings
from fakes.file_work import copy_file, tries

needs_kill = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for number in range(4):
        (folder / f"{number}.cyto").write_text(f"file {number}", encoding="utf-8")
    (folder / "sub" / "ä b.cyto").write_text("deep", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    return folder


def asked(source: Path, options: dict[str, str] | None = None, out: str = "out") -> FolderRun:
    return FolderRun(
        source=source,
        out=source.parent / out,
        find=partial(find_coded, without=source.parent / out),
        work=partial(copy_file, notes=source.parent / "notes"),
        suffix=".txt",
        command="encode",
        options={"--codec": "copy"} if options is None else options,
    )


def go(source: Path, jobs: int = 2, **options: object) -> FolderResult:
    return run_folder(asked(source), jobs=jobs, **options)  # type: ignore[arg-type]


def test_every_file_is_coded_in_the_same_tree_and_only_once(source: Path) -> None:
    reports: list[tuple[int, int, str]] = []
    result = go(source, progress=lambda *report: reports.append(report))
    out = source.parent / "out"
    texts = {path.relative_to(out).as_posix(): path.read_text() for path in out.rglob("*.txt")}
    assert texts == {**{f"{n}.txt": f"file {n}" for n in range(4)}, "sub/ä b.txt": "deep"}
    assert [row["key"] for row in result.rows] == [
        *(f"{n}.cyto" for n in range(4)), "sub/ä b.cyto",
    ]  # fmt: skip
    assert [row["raw_bytes"] / row["coded_bytes"] for row in result.rows] == [10] * 5
    assert (result.failed, result.done_before) == ((), 0)
    assert [done for done, _, _ in reports] == sorted(done for done, _, _ in reports)
    assert reports[-1] == (28, 28, "5 of 5 files, 28 bytes of 28 bytes, 10x smaller")
    processes = {path.read_text() for path in (source.parent / "notes").iterdir()}
    assert len(processes) == 2
    assert str(os.getpid()) not in processes
    again = go(source)
    assert again.rows == result.rows
    assert again.done_before == 5
    assert set(tries(source.parent / "notes").values()) == {1}


def test_only_what_is_missing_or_changed_is_done_again(source: Path) -> None:
    go(source)
    out = source.parent / "out"
    (out / "0.txt").unlink()
    (out / "1.txt").write_text("cut", encoding="utf-8")
    (source / "2.cyto").write_text("longer than before", encoding="utf-8")
    os.utime(source / "3.cyto", ns=(0, 1))
    (source / "new.cyto").write_text("new", encoding="utf-8")
    result = go(source)
    assert result.done_before == 1
    assert tries(source.parent / "notes") == {
        "0.cyto": 2, "1.cyto": 2, "2.cyto": 2, "3.cyto": 2, "new.cyto": 1, "ä b.cyto": 1,
    }  # fmt: skip
    assert (out / "1.txt").read_text() == "file 1"
    assert (out / "2.txt").read_text() == "longer than before"
    assert {row["key"] for row in result.rows} == set(tries(source.parent / "notes")) - {
        "ä b.cyto"
    } | {"sub/ä b.cyto"}


@needs_kill
def test_bad_files_cost_themselves_and_are_tried_again(source: Path) -> None:
    for name, text in {"1": "fail", "2": "bug", "3": "die"}.items():
        (source / f"{name}.cyto").write_text(text, encoding="utf-8")
    (source / "0.cyto").write_text("die once", encoding="utf-8")
    result = go(source)
    errors = {row["key"]: row["error"] for row in result.failed}
    assert errors.keys() == {"1.cyto", "2.cyto", "3.cyto"}
    assert errors["1.cyto"] == "Input/output error."
    assert errors["2.cyto"] == "failed (ZeroDivisionError: division by zero)."
    assert "process that worked on it died, and once more" in errors["3.cyto"]
    out = source.parent / "out"
    assert sorted(path.name for path in out.rglob("*.txt")) == ["0.txt", "ä b.txt"]
    for name in "123":
        (source / f"{name}.cyto").write_text("good", encoding="utf-8")
    result = go(source)
    assert (result.failed, result.done_before) == ((), 2)


@needs_kill
def test_a_run_that_is_killed_goes_on_where_it_was(source: Path) -> None:
    (source / "2.cyto").write_text("wait", encoding="utf-8")
    notes = source.parent / "notes"
    script = (
        "import sys; from pathlib import Path; from files.test_folder import go\n"
        "if __name__ == '__main__': go(Path(sys.argv[1]), jobs=1)"
    )
    (source.parent / "run.py").write_text(script, encoding="utf-8")
    run = subprocess.Popen(
        [sys.executable, source.parent / "run.py", source],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        ledger = source.parent / "out" / LEDGER
        deadline = time.monotonic() + 60
        while not (ledger.exists() and ledger.read_text().count('"codec"') == 2):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        while "2.cyto" not in tries(notes):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with pytest.raises(StoreError, match="another process is writing files here; wait for it"):
            go(source)
    finally:
        run.kill()
        run.wait()
    stray = source.parent / "out" / ".part-xy.txt"
    stray.touch()
    (notes / "go").touch()
    result = go(source)
    assert (result.failed, result.done_before) == ((), 2)
    assert not stray.exists()
    counted = tries(notes)
    assert (counted["0.cyto"], counted["1.cyto"], counted["2.cyto"]) == (1, 1, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"--codec": "other"}, "was begun with --codec copy, not other; give the same options"),
        ({}, "was begun with --codec copy, which is not given now"),
        ({"--codec": "copy", "--axes": "ZYX"}, "was begun without --axes, not with it"),
    ],
)
def test_another_codec_is_refused_before_any_work(
    source: Path, options: dict[str, str], words: str
) -> None:
    go(source)
    with pytest.raises(UsageError, match=words):
        run_folder(asked(source, options), jobs=1)
    assert set(tries(source.parent / "notes").values()) == {1}


def test_the_model_of_a_learned_codec_is_part_of_what_was_begun(
    tmp_path: Path, settings: Settings
) -> None:
    asked = encoding(
        tmp_path, tmp_path / "out", ["learned/cytopress-2d:ratio=5"], settings=settings
    )
    (package,) = codec("learned/cytopress-2d:ratio=5", settings).packages
    assert asked.options["the model learned/cytopress-2d"] == package.sha256


def test_another_folder_is_refused(source: Path) -> None:
    go(source)
    other = source.parent / "other"
    shutil.copytree(source, other)
    with pytest.raises(UsageError, match=r"was begun with the folder .*in, not .*other; choose"):
        go(other)


def test_files_that_no_run_wrote_stay_unless_asked(source: Path) -> None:
    out = source.parent / "out"
    out.mkdir()
    (out / "1.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"1\.txt would be replaced; give --overwrite, or choose"):
        go(source)
    assert (out / "1.txt").read_text() == "mine"
    assert sorted(path.name for path in out.rglob("*.txt")) == ["1.txt"]
    assert go(source, overwrite=True).failed == ()
    assert (out / "1.txt").read_text() == "file 1"


def test_a_folder_without_files_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match="holds no file that encode takes"):
        go(tmp_path / "in")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_errors_of_a_run_are_ours(source: Path) -> None:
    (source.parent / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(CytopressError, match="out: "):
        go(source)


def test_the_ledger_is_written_file_by_file(source: Path) -> None:
    # The last one: no other file waits behind it.
    (source / "sub" / "ä b.cyto").write_text("wait", encoding="utf-8")
    done: list[int] = []
    notes, ledger = source.parent / "notes", source.parent / "out" / LEDGER

    def look(size: int, total: int, text: str) -> None:
        rows = ledger.read_text(encoding="utf-8").count('"codec"')
        assert text.startswith(f"{rows} of 5 files")
        done.append(rows)
        if rows == 4:
            threading.Timer(0.05, (notes / "go").touch).start()

    go(source, progress=look)
    assert done == [0, 1, 2, 3, 4, 5]


def test_numbers_are_shown_as_a_person_writes_them() -> None:
    assert [shown_bytes(n) for n in (0, 999, 1000, 1.5e6, 4.84e9, 2e13)] == [
        "0 bytes", "999 bytes", "1 kB", "1.5 MB", "4.84 GB", "20 TB",
    ]  # fmt: skip
    assert [shown_time(n) for n in (3.2, 89, 90, 3600, 7200)] == [
        "3 s", "89 s", "2 min", "60 min", "2.0 h",
    ]  # fmt: skip
