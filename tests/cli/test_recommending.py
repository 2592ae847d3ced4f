"""``recommend``: an answer with a bound, in words, as JSON and in the report."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from cytopress.cli import main
from cytopress.datasets.folder_form import write_form

pytest.importorskip("jinja2", reason="needs the extra report")

Run = Callable[..., tuple[int, str, str]]
PROGRAM = """
import json, sys
if len(sys.argv) == 1:
    print(json.dumps([{"name": "shift", "unit": "counts", "better": "lower"}]))
else:
    import tifffile
    one, other = (tifffile.imread(path).astype(float) for path in sys.argv[1:])
    print(json.dumps({"shift": abs(float(other.std() - one.std()))}))
"""
STUDY = f"""
name = "small"
metrics = ["rmse", "max_error", "psnr"]
speed = false
noise_draws = 2
preview_size = 16
[[datasets]]
folder = "tiny"
tasks = ["external/mine"]
[[codecs]]
spec = "jpegls"
[[codecs]]
spec = "zstd"
[[codecs]]
spec = "jpegls"
max_error = [2, 200]
[[codecs]]
spec = "round-zstd"
max_error = [4]
[tasks.mine]
kind = "external"
command = ["{sys.executable}", "shift.py"]
timeout = 60
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leave:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(leave.value.code or 0), out, err

    return call


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study of six fields, its data beside it."""
    place = tmp_path_factory.mktemp("finished")
    images = place / "tiny" / "images"
    images.mkdir(parents=True)
    rows = []
    for number in range(6):
        random = np.random.default_rng(number)
        smooth = gaussian_filter(random.normal(size=(40, 48)), 3) * 4000 + 1500
        pixels = np.clip(smooth + random.normal(0, 5, smooth.shape), 0, 4095).astype(np.uint16)
        tifffile.imwrite(images / f"{number}.tif", pixels)
        name = f"images/{number}.tif"
        rows.append({"field": f"f{number}", "group": "g", "input": name, "target": name})
    facts = {
        "name": "tiny", "title": "Noise", "input": "light", "target": "light", "axes": "YX",
        "bits": 12, "licence": "CC0-1.0", "attribution": "made by a test",
    }  # fmt: skip
    write_form(place / "tiny", facts, rows)  # type: ignore[arg-type]
    (place / "shift.py").write_text(PROGRAM)
    (place / "study.toml").write_text(STUDY)
    with pytest.raises(SystemExit) as leave:
        main(["study", "run", str(place / "study.toml"), "--out", str(place / "out")])
    assert not leave.value.code
    return place / "out"


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    shutil.copytree(finished.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / finished.name


def test_an_answer_is_printed_written_and_can_be_encoded_with(folder: Path, run: Run) -> None:
    asked = ("recommend", folder, "--task", "external/mine", "--margin", "1")
    before = (folder / "report.html").read_text()
    code, out, _ = run(*asked, "--json")
    (found,) = json.loads(out)
    assert code == 0
    assert not (folder / "recommendation.json").exists()
    assert (folder / "report.html").read_text() == before
    assert json.loads(run(*asked, "--json", "--write")[1]) == [found]
    assert json.loads((folder / "recommendation.json").read_text()) == [found]
    assert found["name"] == "tiny"
    assert found["metric"] == "shift"
    # A bound of 200 counts changes the contrast by more than one count, one of 4 does not.
    assert found["spec"] in ("jpegls:max_error=2", "round-zstd:max_error=4")
    assert 0 <= found["bound"] < found["margin"] == 1
    assert [one["spec"] for one in found["unsafe"]] == ["jpegls:max_error=200"]
    assert found["lossless"]["ratio"] < found["ratio"]
    assert any("only 1 group" in warning for warning in found["warnings"])
    assert not any("only 6 fields" in warning for warning in found["warnings"])
    image = folder.parent / "tiny" / "images" / "0.tif"
    code, _, err = run("encode", image, "-o", folder / "a.cyto", "--codec", found["spec"])
    assert code == 0, err
    code, out, _ = run(*asked)
    assert code == 0
    assert found["spec"] in out
    page = (folder / "report.html").read_text()
    assert found["spec"] in page


def test_nothing_safe_is_an_answer(folder: Path, run: Run) -> None:
    asked = ("recommend", folder, "--task", "external/mine", "--margin", "1e-9")
    code, out, _ = run(*asked, "--json")
    (found,) = json.loads(out)
    assert code == 0
    assert found["spec"] is None
    assert found["bound"] is None
    assert found["lossless"]["spec"] in ("jpegls", "zstd")
    code, out, _ = run(*asked)
    assert code == 0
    assert "lossless" in out


def test_a_report_made_again_answers_the_last_question(folder: Path, run: Run) -> None:
    run("recommend", folder, "--task", "external/mine", "--margin", "1", "--write")
    before = (folder / "report.html").read_text()
    (folder / "report.html").unlink()
    assert run("study", "report", folder)[0] == 0
    assert (folder / "report.html").read_text() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--task", "external/mine", "--margin", "much"), "give a number, or noise"),
        (("--task", "external/mine", "--margin", "-1"), "positive"),
        (("--task", "external/mine", "--margin", "nan"), "positive"),
        (("--task", "external/mines", "--margin", "1"), "external/mine"),
        (("--task", "external/mine", "--margin", "1", "--metric", "r"), "shift"),
        (("--task", "external/mine", "--margin", "1", "--confidence", "95"), "between 0 and 1"),
    ],
)
def test_a_wrong_question_is_told_and_writes_nothing(
    folder: Path, run: Run, options: tuple[str, ...], said: str
) -> None:
    code, out, err = run("recommend", folder, *options)
    assert code == 2
    assert not out
    assert said in err
    assert err.count("\n") == 1
    assert not (folder / "recommendation.json").exists()


def test_no_study_in_the_folder(tmp_path: Path, run: Run) -> None:
    code, _, err = run("recommend", tmp_path, "--task", "a", "--margin", "noise")
    assert code == 1
    assert str(tmp_path) in err


def test_encode_takes_what_was_recommended_by_the_folder_alone(folder: Path, run: Run) -> None:
    image = folder.parent / "tiny" / "images" / "0.tif"
    out = folder.parent / "a.cyto"
    code, _, err = run("encode", image, "-o", out, "--recommended", folder)
    assert code == 2
    assert "--task NAME --margin M --write" in err
    assert not out.exists()
    asked = ("recommend", folder, "--task", "external/mine")
    (found,) = json.loads(run(*asked, "--margin", "1", "--write", "--json")[1])
    # Nothing but the file is read.
    alone = folder.parent / "alone"
    alone.mkdir()
    shutil.copy(folder / "recommendation.json", alone)
    assert run("encode", image, "-o", out, "--recommended", alone)[0] == 0
    by_hand = folder.parent / "b.cyto"
    assert run("encode", image, "-o", by_hand, "--codec", found["spec"])[0] == 0
    assert out.read_bytes() == by_hand.read_bytes()
    run(*asked, "--margin", "1e-9", "--write")
    code, _, err = run("encode", image, "-o", out, "--recommended", folder)
    assert code == 2
    assert "2 recommendations fit" in err
    assert "--margin (1e-09, 1.0)" in err
    assert err.count("\n") == 1
    code, _, _ = run("encode", image, "-o", out, "--recommended", folder, "--margin", "1e-9")
    assert code == 0
    (facts,) = json.loads(run("info", out, "--json")[1])
    assert facts["lossless"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give --codec SPEC, or --recommended DIR"),
        (("--codec", "jpegls", "--recommended", "."), "give either --codec or --recommended"),
        (("--codec", "jpegls", "--margin", "1"), "--margin chooses a recommendation"),
    ],
)
def test_encode_needs_one_way_to_choose_a_codec(
    tmp_path: Path, run: Run, options: tuple[str, ...], said: str
) -> None:
    image = tmp_path / "a.tif"
    tifffile.imwrite(image, np.zeros((8, 8), np.uint8))
    code, _, err = run("encode", image, "-o", tmp_path / "a.cyto", *options)
    assert code == 2
    assert said in err


def test_the_only_task_and_the_margin_of_the_study_need_not_be_given(
    folder: Path, run: Run
) -> None:
    """The margin is stated anew: not one trial runs again."""
    spec = folder.parent / "study.toml"
    before = sqlite_trials(folder)
    code, out, err = run("study", "run", spec, "--out", folder, "--margin", "1")
    assert code == 0, err
    assert "is shown inside" in out or "makes the files" in out
    assert "The margin is 1 counts of shift, as given." in out
    assert sqlite_trials(folder) == before
    (stated,) = json.loads(run("recommend", folder, "--json")[1])
    asked = ("recommend", folder, "--task", "external/mine", "--margin", "1", "--json")
    assert [stated] == json.loads(run(*asked)[1])
    spec.write_text("margin = '2 %'\n" + spec.read_text())
    # What was judged stays; of a change from 0 no share can be taken.
    code, _, err = run("study", "run", spec, "--out", folder)
    assert (code, "no share can be taken" in err) == (2, True)
    assert sqlite_trials(folder) == before
    assert [stated] == json.loads(run("recommend", folder, "--json")[1])
    code, _, err = run("recommend", folder, "--margin", "2 %")
    assert (code, "no share can be taken" in err) == (2, True)
    spec.write_text(spec.read_text().replace("'2 %'", "'much'"))
    code, _, err = run("study", "run", spec, "--out", folder)
    assert code == 2
    assert "a margin is the largest allowed loss" in err


def test_the_export_ends_with_margin_bound_and_verdict(folder: Path, run: Run) -> None:
    spec = folder.parent / "study.toml"
    run("study", "run", spec, "--out", folder, "--margin", "1")
    table = folder.parent / "trials.csv"
    assert run("study", "export", folder, "--to", table)[0] == 0
    with table.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    names = [f"external/mine/shift/{what}" for what in ("margin", "bound", "verdict")]
    assert list(rows[0])[-3:] == names
    (found,) = json.loads(run("recommend", folder, "--json")[1])
    assert {row[names[2]] for row in rows if row["target_value"] == "200.0"} == {"outside"}
    assert {row[names[2]] for row in rows if not row["target"]} == {""}
    chosen = [row for row in rows if found["spec"].startswith(row["codec"]) and row["target"]]
    assert str(found["bound"]) in {row[names[1]] for row in chosen}


def sqlite_trials(folder: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "study.sqlite")) as db:
        return db.execute("SELECT key, outcome FROM trials ORDER BY key").fetchall()
