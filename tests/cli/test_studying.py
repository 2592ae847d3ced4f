"""What a person sees of a study that cannot be: one sentence, its exit code, nothing half done."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cytopress.cli import main
from cytopress.datasets.folder_form import write_form

Run = Callable[..., tuple[int, str, str]]
FACTS: dict[str, str | int | float] = {
    "name": "tiny",
    "title": "Noise",
    "input": "light",
    "target": "light",
    "axes": "YX",
    "bits": 16,
    "licence": "CC0-1.0",
    "attribution": "made by a test",
}
STUDY = """
name = "small"
metrics = ["rmse"]
speed = false
[[datasets]]
folder = "tiny"
[[codecs]]
spec = "jpegls"
max_error = [2]
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leave:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(leave.value.code or 0), out, err

    return call


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study file beside its dataset of one field."""
    images = tmp_path / "tiny" / "images"
    images.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 4000, (40, 48)).astype(np.uint16)
    row = {"field": "a", "group": "one", "input": "images/a.tif", "target": "images/b.tif"}
    for name in ("a", "b"):
        tifffile.imwrite(images / f"{name}.tif", pixels)
    write_form(tmp_path / "tiny", FACTS, [row])
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def unknown_key(study: Path) -> None:
    study.write_text("limits = 3\n" + STUDY, encoding="utf-8")


def missing_file(study: Path) -> None:
    (study.parent / "tiny/images/b.tif").unlink()


def other_shape(study: Path) -> None:
    tifffile.imwrite(study.parent / "tiny/images/b.tif", np.ones((40, 47), np.uint16))


def empty_group(study: Path) -> None:
    rows = study.parent / "tiny/pairs.csv"
    rows.write_text(rows.read_text().replace("one", ""), encoding="utf-8")


def nan(study: Path) -> None:
    tifffile.imwrite(study.parent / "tiny/images/a.tif", np.full((40, 48), np.nan, np.float32))


@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (unknown_key, 2, "unknown key 'limits'"),
        (missing_file, 1, "b.tif: the target of field 'a' does not exist"),
        (other_shape, 1, "its shape (40, 47) must be that of a.tif"),
        (empty_group, 1, "group must not be empty"),
        (nan, 1, "NaN"),
    ],
)
def test_what_cannot_be_studied_is_one_sentence_and_leaves_nothing(
    run: Run, study: Path, harm: Callable[[Path], None], code: int, words: str
) -> None:
    harm(study)
    out = study.parent / "out"
    left, said, err = run("study", "run", study, "--out", out)
    assert (left, said) == (code, "")
    assert words in err
    assert err.count("\n") == 1
    assert not out.exists()


def test_a_store_of_a_newer_version_is_left_alone(run: Run, study: Path) -> None:
    out = study.parent / "out"
    out.mkdir()
    with sqlite3.connect(out / "study.sqlite") as db:
        db.execute("CREATE TABLE later (x)")
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = (out / "study.sqlite").read_bytes()
    for command in (("run", study, "--out", out), ("report", out)):
        code, _, err = run("study", *command)
        assert code == 1
        assert "a newer cytopress" in err
        assert err.count("\n") == 1
    assert (out / "study.sqlite").read_bytes() == before
    assert not (out / "report.html").exists()


def test_run_report_and_export(run: Run, study: Path, tmp_path: Path) -> None:
    pytest.importorskip("plotly", reason="reports need the extra report")
    out, table = tmp_path / "out", tmp_path / "trials.csv"
    code, said, err = run("study", "run", study, "--out", out)
    assert (code, err) == (0, "")
    assert said.endswith(f"Report: {out / 'report.html'}\n")
    (out / "report.html").unlink()
    assert run("study", "report", out)[:2] == (0, f"{out / 'report.html'}\n")
    assert (out / "report.html").stat().st_size > 1000
    assert run("study", "export", out, "--to", table)[0] == 0
    with table.open(newline="", encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["codec"], row["target"], float(row["reached"])) == ("jpegls", "max_error", 2)
    assert run("study", "export", out, "--to", tmp_path / "trials.txt")[0] == 2


def test_a_study_file_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert run("study", "init", path)[0] == 0
    path.write_text("mine", encoding="utf-8")
    code, _, err = run("study", "init", path)
    assert code == 2
    assert "exists already" in err
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_study_file_has_its_folder(run: Run, tmp_path: Path) -> None:
    code, _, err = run("study", "init", tmp_path / "absent" / "mine.toml")
    assert code == 2
    assert "there is no such folder" in err


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_trials_that_failed_are_told(run: Run, study: Path) -> None:
    pytest.importorskip("plotly", reason="reports need the extra report")
    unreachable = '[[codecs]]\nspec = "jpegls"\nratio = [100000]\n'
    study.write_text(STUDY + unreachable, encoding="utf-8")
    code, out, err = run("study", "run", study, "--out", study.parent / "some")
    assert code == 0
    assert "Report:" in out
    assert "1 of 2 trials failed" in err
    assert "ratio=100000" in err
    assert err.count("\n") == 1
    # Nothing but failures is work that failed.
    study.write_text(STUDY.partition("[[codecs]]")[0] + unreachable, encoding="utf-8")
    code, _, err = run("study", "run", study, "--out", study.parent / "none")
    assert code == 1
    assert "1 of 1 trials failed" in err
    assert err.count("\n") == 1


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_failed_trials_are_tried_again_where_asked_for(run: Run, study: Path) -> None:
    pytest.importorskip("plotly", reason="reports need the extra report")
    ratio = '[[codecs]]\nspec = "jpegls"\nratio = [100000]\n'
    study.write_text(STUDY + ratio, encoding="utf-8")
    out = study.parent / "out"
    code, _, err = run("study", "run", study, "--out", out)
    assert code == 0
    assert "1 of 2 trials failed" in err
    assert "every failed trial with --retry-failed" in err
    with sqlite3.connect(out / "study.sqlite") as db:
        (key,) = db.execute("SELECT key FROM trials WHERE outcome LIKE '%100000%'").fetchone()
        result = {"error": "of an older version", "arms": []}
        measured = dict.fromkeys(("reached", "coded_bytes", "encode_s", "decode_s"))
        text = json.dumps(result | measured | {"scores": {}})
        db.execute("UPDATE trials SET outcome = ? WHERE key = ?", (text, key))
    db.close()
    assert "of an older version" in run("study", "run", study, "--out", out)[2]
    code, _, err = run("study", "run", study, "--out", out, "--retry-failed")
    assert code == 0
    assert "no setting reaches ratio=100000" in err
