"""What a person sees of a study that cannot be: one sentence, its exit code, nothing half done."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import tifffile

import cytopress
from cytopress.cli import main
from cytopress.datasets.dataset import open_dataset
from cytopress.datasets.folder_form import write_form
from cytopress.study import run_here
from cytopress.study.store import load_results
from fakes.plate import STAINS, write_plate

Run = Callable[..., tuple[int, str, str]]
OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"
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


@pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")
def test_without_the_extra_a_study_is_run_and_says_first_that_there_is_no_page(
    run: Run, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    code, said, err = run("study", "run", study, "--out", tmp_path / "out")
    assert code == 0
    assert "jpegls  max_error=2" in said
    assert said.endswith(f"Results: {tmp_path / 'out'}\n")
    assert "no page will be written" in err
    assert "pip install 'cytopress[report]'" in err
    assert run("study", "report", tmp_path / "out")[0] == 1


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
    assert "1 of 1 trial failed" in err
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


COUNT = """
import sys
import numpy as np
import tifffile
from scipy import ndimage

def count(path):
    image = ndimage.gaussian_filter(tifffile.imread(path).astype(float), 2)
    return ndimage.label(image > image.mean() + image.std())[1]

before, after = count(sys.argv[1]), count(sys.argv[2])
print(abs(after - before) / before)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


NOTES = pytest.mark.filterwarnings("always::cytopress.errors.CytopressWarning")


@NOTES
def test_the_first_hour_six_stains_of_eight_fields_without_pairs(run: Run, here: Path) -> None:
    """48 files with metadata to a page, a codec for each stain, coded files, and back."""
    pytest.importorskip("plotly", reason="reports need the extra report")
    write_plate(here / "plate", described=True)
    options = ("--task", "measurement", "--margin", "2%", "--codec", "jpegls:max_error=0,4")
    code, out, err = run("study", "run", "--images", "plate", *options)
    assert code == 0, err
    assert "6 channels guessed from the names: AGP, Brightfield, DNA, ER, Mito, RNA" in err
    assert "results go into plate-study (--out)" in err
    assert "all fields are one group" in err
    assert "plate/Brightfield: measurement looks for bright objects" in err
    assert out.endswith(f"Report: {Path('plate-study/report.html')}\n")
    page = (here / "plate-study/report.html").read_text(encoding="utf-8")
    assert "there is no ground truth" in page
    code, out, err = run(
        "recommend", "plate-study", "--task", "measurement", "--margin", "0.02", "--json"
    )
    assert code == 0, err
    rows = json.loads(out)
    assert [row["name"] for row in rows] == [f"plate/{stain}" for stain in sorted(STAINS)]
    for row in rows:
        assert row["spec"] == "jpegls:max_error=4"
        assert row["bound"] < 0.02
        assert row["name"] in page
    # Study, recommend, encode, decode: four commands.
    assert run("recommend", "plate-study", "--write")[0] == 0
    code, out, err = run("encode", "plate", "-o", "coded", "--recommended", "plate-study")
    assert code == 0, err
    assert "coded: 48 of 48 files" in out
    code, out, err = run("decode", "coded", "-o", "back")
    assert code == 0, err
    for field, stain in product(range(1, 9), STAINS):
        name = f"field{field}_{stain}"
        with tifffile.TiffFile(here / f"back/{name}.ome.tif") as file:
            back, text = file.asarray().astype(int), file.ome_metadata
        assert abs(back - tifffile.imread(here / f"plate/{name}.tif")).max() == 4
        assert said_of(text) == ("2024-03-05T06:07:08", 0.65, stain, 461, 0.02, 100.5 * field)


def said_of(ome_xml: str | None) -> tuple[object, ...]:
    """Return date, pixel size, channel, wavelength, exposure and stage of an image."""
    (image,) = ET.fromstring(ome_xml or "").iter(f"{OME}Image")
    pixels, channel, plane = (next(image.iter(OME + tag)) for tag in ("Pixels", "Channel", "Plane"))
    return (
        next(image.iter(f"{OME}AcquisitionDate")).text,
        float(pixels.attrib["PhysicalSizeX"]),
        channel.attrib["Name"],
        float(channel.attrib["EmissionWavelength"]),
        float(plane.attrib["ExposureTime"]),
        float(plane.attrib["PositionX"]),
    )


@NOTES
def test_without_a_codec_images_added_later_change_no_codec(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study that was begun goes on with its codecs, whatever the new images would ask for."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_here, "run_job_trial", interrupt)
    write_plate(here / "plate", fields=(1, 2), stains=("DNA",))
    request = ("study", "run", "--images", "plate", "--task", "measurement", "--margin", "2%")
    code, _, err = run(*request)
    assert (code, "anscombe-jpegxl at sigma=0.25,0.5,1,2, as `try` advises" in err) == (130, True)
    begun = load_results(here / "plate-study").spec_toml
    assert "ratio" not in begun
    # Without noise: alone they would be asked for max_error.
    for field in (3, 4, 5, 6):
        smooth = np.linspace(0, 3000, 64).astype(np.uint16) + np.zeros((64, 1), np.uint16)
        tifffile.imwrite(here / f"plate/field{field}_DNA.tif", smooth // 8 * 8 + field)
    code, _, err = run(*request)
    assert (code, "as `try` advises" in err) == (130, False)
    assert load_results(here / "plate-study").spec_toml == begun


@NOTES
def test_each_channel_of_a_folder_is_coded_as_recommended(run: Run, here: Path) -> None:
    """Made recommendations: by name, replaced for one channel, lossless where there is none."""
    write_plate(here / "plate", fields=(1,), stains=("DNA", "ER", "RNA"), size=32)
    (here / "study").mkdir()
    rows = [
        {"spec": "jpegls:max_error=9", "channel": "DNA"},
        {"spec": "jpegls:max_error=5", "channel": "ER"},
        {"spec": None, "channel": "RNA"},
    ]
    shared = {"task": "t", "metric": "m", "margin": 0.1, "margin_from": "given", "bound": 0.0}
    shared |= {"confidence": 0.95, "lossless": {"spec": "jpegls"}}
    rows = [shared | row | {"name": f"plate/{row['channel']}"} for row in rows]
    (here / "study/recommendation.json").write_text(json.dumps(rows), encoding="utf-8")

    def worst(folder: str, *options: str) -> list[int]:
        assert run("encode", "plate", "-o", folder, "--recommended", "study", *options)[0] == 0
        return [error_of(here, f"{folder}/field1_{stain}.cyto") for stain in ("DNA", "ER", "RNA")]

    assert worst("coded") == [9, 5, 0]
    assert worst("mine", "--codec", "ER=jpegls:max_error=2") == [9, 2, 0]
    # One file finds its channel in its name; one that says none is refused.
    one = ("encode", "plate/field1_ER.tif", "-o", "one.cyto", "--recommended", "study")
    assert run(*one)[0] == 0
    assert error_of(here, "one.cyto", "field1_ER") == 5
    (here / "plate/field1_ER.tif").rename(here / "unknown.tif")
    code, _, err = run("encode", "unknown.tif", "-o", "two.cyto", "--recommended", "study")
    assert (code, err.count("\n")) == (2, 2)
    assert "there are codecs for DNA, ER, RNA" in err
    assert not (here / "two.cyto").exists()


def error_of(here: Path, coded: str, name: str = "") -> int:
    """Return the largest error of a coded file of the plate."""
    back = cytopress.read(here / coded)[0].pixels.astype(int)
    original = tifffile.imread(here / f"plate/{name or Path(coded).stem}.tif")
    return int(abs(back - original).max())


@NOTES
def test_a_program_counts_and_python_is_this_one(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("plotly", reason="reports need the extra report")
    write_plate(here / "plate", fields=(1, 2), stains=("DNA",))
    (here / "count.py").write_text(COUNT)
    # No python is to be found but the one that runs cytopress.
    monkeypatch.setenv("PATH", "")
    command = ("--", "python", "count.py", "{original}", "{decoded}")
    options = ("--codec", "jpegls:max_error=4", "--task", "external", "--out", "out")
    options += ("--margin", "0.02")
    code, _, err = run("study", "run", "--images", "plate", *options, *command)
    assert code == 0, err
    assert "trials failed" not in err
    results = load_results(here / "out")
    assert [trial.scores["external/count/change/harm"] for trial in results.trials] == [0, 0]


@NOTES
def test_one_field_is_a_study_of_which_nothing_can_be_shown(run: Run, here: Path) -> None:
    pytest.importorskip("plotly", reason="reports need the extra report")
    write_plate(here / "plate", fields=(1,), stains=("DNA",))
    options = ("--task", "measurement", "--margin", "0.02", "--codec", "jpegls:max_error=4")
    code, out, err = run("study", "run", "--images", "plate", *options, "--out", "one")
    assert code == 0, err
    assert "not shown" in out
    code, out, _ = run("recommend", "one", "--task", "measurement", "--margin", "0.02", "--json")
    assert code == 0
    assert json.loads(out)[0]["spec"] is None


@NOTES
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give one study file, or a folder of images with --images DIR"),
        (["a.toml", "b.toml"], "give one study file"),
        (["a.toml", "--task", "measurement"], "--task, --codec and what describes images go with"),
        (["a.toml", "--bits", "12"], "go with --images"),
        (["--images", "absent"], "absent: there is no such folder"),
        (["--images", "plate", "--task", "external"], "goes with the program behind two dashes"),
        (["--images", "plate", "--only", "GFP", "--codec", "jpegls"], "no channel of these images"),
        (["--images", "plate", "--channels", "x{channel}"], "1 of 1 names do not match it"),
        (["--images", "plate", "--task", "measurment", "--codec", "jpegls"], "measurement"),
        (["--images", "plate", "--codec", "jpegls:max_eror=4,8"], "max_error"),
    ],
)
def test_wrong_requests_are_one_sentence(
    run: Run, here: Path, arguments: list[str], words: str
) -> None:
    write_plate(here / "plate", fields=(1,), stains=("DNA",), size=16)
    code, _, err = run("study", "run", *arguments, "--out", "out")
    assert code == 2
    assert words in err.splitlines()[-1]
    assert not (here / "out/study.sqlite").exists()


@NOTES
def test_files_that_cannot_be_read_are_lines_and_nothing_is_run(run: Run, here: Path) -> None:
    write_plate(here / "plate", fields=(1, 2, 3), stains=("DNA",), size=16)
    for field in (1, 2):
        (here / f"plate/field{field}_DNA.tif").write_bytes(b"no image")
    code, _, err = run("study", "run", "--images", "plate", "--codec", "jpegls", "--out", "out")
    assert code == 1
    assert "2 of 3 images cannot be read" in err
    assert [f"field{k}_DNA.tif" in line for k, line in enumerate(err.splitlines()[2:4], 1)] == [
        True,
        True,
    ]
    assert not (here / "out/study.sqlite").exists()


@NOTES
def test_dataset_init_writes_a_dataset_that_a_study_takes(run: Run, here: Path) -> None:
    write_plate(here / "cells", fields=(1, 2), stains=("BF", "DAPI"), size=32)
    code, out, err = run("dataset", "init", "cells")
    assert code == 0
    assert out.splitlines() == [str(Path("cells/dataset.toml")), str(Path("cells/pairs.csv"))]
    assert "2 channels guessed" in err
    code, _, err = run("dataset", "init", "cells")
    assert code == 2
    assert "exists already" in err
    assert len(open_dataset(here / "cells").fields) == 2
