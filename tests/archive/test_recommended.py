"""A study's recommendation in an archive: its task run again on what the archive holds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from scipy.ndimage import gaussian_filter

from cytopress.archive.certificate import read as read_certificate
from cytopress.archive.plan import Coding
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.study_choice import StudyChoice
from cytopress.archive.wanted import Wanted
from cytopress.errors import CytopressError, NotAvailableError, UsageError
from cytopress.image import Image
from cytopress.results.recommendation import Criterion, recommend
from cytopress.results.recommendation import as_json as plain
from cytopress.results.recommendation.recorded import write_rows
from cytopress.settings import from_environment
from cytopress.study.execute import execute
from cytopress.study.spec import parse_study
from cytopress.tasks.builtin.measurement import Measurement
from fakes.archives import in_this_process

pytest.importorskip("yaozarrs")
pytestmark = pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
FIELDS, SHAPE, CHUNK = 10, (96, 104), 48
STUDY = """
name = "small"
metrics = ["psnr", "max_error"]
speed = false
noise_draws = 0
[[datasets]]
images = "{images}"
tasks = ["measurement"]
[[codecs]]
spec = "jpegxl"
ratio = [4, 8]
"""


def cells(seed: int) -> np.ndarray:
    """Return a field of round cells, 12 bits."""
    random = np.random.default_rng(seed)
    light = np.zeros(SHAPE)
    for y, x in zip(random.integers(8, 88, 9), random.integers(8, 96, 9), strict=True):
        light[y - 3 : y + 4, x - 3 : x + 4] += random.uniform(0.7, 1.3)
    return random.poisson(100 + 1200 * gaussian_filter(light, 2)).clip(1, 4095).astype(np.uint16)


def write(path: Path, pixels: np.ndarray) -> None:
    metadata = {"axes": "CYX", "Channel": {"Name": ["DNA"]}, "SignificantBits": 12}
    tifffile.imwrite(path, pixels[None], metadata=metadata)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with images, and in ``out`` a study of them with a recommendation."""
    folder = tmp_path_factory.mktemp("studied")
    (folder / "images").mkdir()
    for seed in range(FIELDS):
        write(folder / "images" / f"{seed}.ome.tif", cells(seed))
    study = parse_study(STUDY.format(images=folder / "images"), folder=folder, label="study.toml")
    results = execute(study, folder / "out", settings=from_environment())
    (found,) = recommend(results, Criterion(task="measurement", metric="", margin=0.2))
    row = plain(found)
    assert row["spec"].startswith("jpegxl:ratio=8")
    write_rows(folder / "out", [row])
    return folder


@pytest.fixture
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on shards in this process: a new one takes seconds to start."""
    monkeypatch.setattr("cytopress.archive.run.run_tasks", in_this_process)


def wanted(folder: Path, **changes: object) -> Wanted:
    return Wanted(chunk=CHUNK, study=StudyChoice(folder=folder / "out", **changes))  # type: ignore[arg-type]


def planned(folder: Path, out: Path, source: Path | None = None) -> Coding:
    plan, _ = make_plan([source or folder / "images"], out, wanted(folder))
    (coding,) = plan.codings
    return coding


@pytest.mark.usefixtures("_here")
def test_the_bound_is_that_of_the_pixels_in_the_archive(studied: Path, tmp_path: Path) -> None:
    coding = planned(studied, tmp_path / "out")
    assert coding.spec.startswith("jpegxl:distance=")
    assert run(tmp_path / "out").complete
    task, losses, worst = Measurement(), [], 0.0
    for seed in range(FIELDS):
        store = tmp_path / f"out/{seed}.ome.zarr/0"
        decoded = np.asarray(zarr.open_array(str(store), mode="r")[0, 0, 0])
        before, after = Image(cells(seed), bits=12), Image(decoded, bits=12)
        reference = task.predict(before)
        name = task.scores[0].name
        after_score = task.score(task.predict(after), reference, after)[name]
        losses.append(after_score - task.score(reference, reference, before)[name])
        error = (decoded.astype(float) - cells(seed)) ** 2
        for y in range(0, SHAPE[0], CHUNK):
            for x in range(0, SHAPE[1], CHUNK):
                worst = max(worst, error[y : y + CHUNK, x : x + CHUNK].mean() ** 0.5)
    assert coding.analysis is not None
    assert coding.analysis.harm == pytest.approx(np.mean(losses))
    assert coding.analysis.harm < coding.analysis.bound < coding.analysis.margin == 0.2
    assert coding.ceiling is not None
    assert coding.ceiling.chunk == pytest.approx(worst)
    images = read_certificate(tmp_path / "out")["images"]
    told = images["0.ome.zarr"]["channels"][0]
    assert told["analysis"]["bound"] == coding.analysis.bound
    assert told["chunks_unlike_the_study"] == 0


@pytest.mark.usefixtures("_here")
def test_chunks_unlike_the_study_are_coded_finer_and_counted(studied: Path, tmp_path: Path) -> None:
    shutil.copytree(studied / "images", tmp_path / "images")
    wild = np.random.default_rng(0).integers(0, 4096, SHAPE).astype(np.uint16)
    wild[:, CHUNK:] = cells(3)[:, CHUNK:]
    wild[CHUNK:] = cells(3)[CHUNK:]
    write(tmp_path / "images/0a.ome.tif", wild)
    coding = planned(studied, tmp_path / "out", tmp_path / "images")
    assert run(tmp_path / "out").complete
    images = read_certificate(tmp_path / "out")["images"]
    unlike = {name: one["channels"][0]["chunks_unlike_the_study"] for name, one in images.items()}
    assert unlike["0a.ome.zarr"] >= 1
    decoded = np.asarray(zarr.open_array(str(tmp_path / "out/0a.ome.zarr/0"), mode="r")[0, 0, 0])
    error = (decoded.astype(float) - wild)[:CHUNK, :CHUNK]
    assert coding.ceiling is not None
    assert np.mean(error**2) ** 0.5 <= coding.ceiling.chunk


def test_a_plan_outside_the_margin_is_refused(studied: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(studied / "out", study / "out")
    path = study / "out/recommendation.json"
    (row,) = json.loads(path.read_text())
    path.write_text(json.dumps([row | {"margin": 1e-9}]))
    with pytest.raises(NotAvailableError, match="nothing was planned"):
        make_plan([studied / "images"], tmp_path / "out", wanted(study))
    assert not (tmp_path / "out").exists()


def test_other_images_than_those_of_the_study_are_noticed(studied: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(studied, moved)
    text = STUDY.format(images="images")
    study = parse_study(text, folder=moved, label="study.toml")
    execute(study, moved / "out", settings=from_environment())
    assert planned(moved, tmp_path / "one").analysis is not None
    pixels = cells(4)
    pixels[5, 5] += 1
    write(moved / "images/4.ome.tif", pixels)
    with pytest.raises(CytopressError, match="run the study again"):
        planned(moved, tmp_path / "two", studied / "images")
    shutil.rmtree(moved / "images")
    with pytest.raises(UsageError, match="not found from here"):
        planned(moved, tmp_path / "three", studied / "images")


def test_channels_that_the_study_does_not_know_are_refused(studied: Path, tmp_path: Path) -> None:
    source = tmp_path / "two.ome.tif"
    metadata = {"axes": "CYX", "Channel": {"Name": ["DNA", "ER"]}, "SignificantBits": 12}
    tifffile.imwrite(source, np.stack([cells(0), cells(1)]), metadata=metadata)
    with pytest.raises(UsageError, match="nothing for the channel 'DNA'"):
        make_plan([source], tmp_path / "out", wanted(studied))
    choice = StudyChoice(folder=studied / "out")
    given = Wanted(chunk=CHUNK, study=choice, channels={"ER": "jpegls:max_error=2"})
    plan, _ = make_plan([source], tmp_path / "out", given)
    assert [one.analysis is not None for one in plan.codings] == [True, False]
    plan, _ = make_plan([source], tmp_path / "all", wanted(studied, channel="images"))
    assert all(one.analysis is not None for one in plan.codings)


def test_pixels_of_another_type_are_refused(studied: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", cells(0).astype(np.uint8))
    with pytest.raises(UsageError, match="uint16"):
        planned(studied, tmp_path / "out", tmp_path / "a.tif")
