"""A study of volumes, whole: metrics along z, planes told from volumes, sections, speed."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from cytopress.codecs.spec import codec
from cytopress.datasets.folder_form import write_form
from cytopress.report import write_report
from cytopress.settings import Settings
from cytopress.study import speed
from cytopress.study.execute import execute
from cytopress.study.results import Results
from cytopress.study.schema import FILE
from cytopress.study.spec import Study
from cytopress.study.store import load_results

from .conftest import FACTS, Doubling, MakeDataset

MakeStudy = Callable[..., Study]
SHAPE = (18, 36, 40)
CODECS = '[[codecs]]\nspec = "jpegls"\nmax_error = [4]\n[[codecs]]\nspec = "sperr"\nratio = [8]\n'
METRICS = 'metrics = ["rmse", "frc_resolution", "frc_resolution_z", "variation_xy", "variation_z"]'


def volume(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    smooth = gaussian_filter(random.normal(size=SHAPE), 2) * 3000 + 1500
    return np.clip(smooth + random.normal(0, 20, SHAPE), 0, 4095).astype(np.uint16)


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """Two training and two test volumes; planes 0.5 um apart, pixels of 0.25 um."""
    folder = tmp_path / "deep"
    (folder / "images").mkdir(parents=True)
    rows = []
    for number, group in enumerate(("t1", "t1", "e1", "e2")):
        field = f"{group}-{number}"
        row = {"field": field, "group": group}
        for column, pixels in (("input", volume(number)), ("target", volume(number) * 2)):
            row[column] = f"images/{field}_{column}.tif"
            tifffile.imwrite(
                folder / row[column],
                pixels,
                imagej=True,
                resolution=(4, 4),
                metadata={"axes": "ZYX", "spacing": 0.5, "unit": "um"},
            )
        rows.append(row)
    facts = {**FACTS, "name": "deep", "axes": "ZYX", "pixel_size_um": 0.25}
    write_form(folder, facts, rows)  # type: ignore[arg-type]
    with (folder / "dataset.toml").open("a") as stream:
        stream.write('[split]\ntest = ["e1", "e2"]\n')
    return folder


@pytest.fixture
def deep(
    volumes: Path,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
) -> Results:
    study = study_of(
        folder="deep",
        dataset='tasks = ["fake/doubling"]',
        codecs=CODECS,
        head="preview_size = 24\nnoise_draws = 2",
    )
    names = tuple(METRICS.split('"')[1::2])
    study = study.model_copy(update={"metrics": names, "speed": True})
    return execute(study, tmp_path / "out", settings=settings)


def test_every_number_is_there(deep: Results) -> None:
    assert [facts.plane_spacing_um for facts in deep.datasets] == [0.5]
    assert len(deep.trials) == 2 * 2
    for trial in deep.trials:
        assert trial.error == ""
        assert trial.volumetric == (trial.codec == "sperr")
        along_z, in_plane = (
            trial.scores[f"pixels/{name}"] for name in ("frc_resolution_z", "frc_resolution")
        )
        assert trial.scores["pixels/frc_resolution_z_um"] == pytest.approx(along_z / 0.5)
        assert trial.scores["pixels/frc_resolution_um"] == pytest.approx(in_plane / 0.25)
        assert trial.scores["fake/doubling/error/baseline"] == pytest.approx(10, abs=1e-4)
    assert {trial.field for trial in deep.noise_replicates} == {"e1-2", "e2-3"}
    assert len({trial.scores["fake/doubling/error/harm"] for trial in deep.noise_replicates}) == 4
    assert {speed.codec for speed in deep.speeds} == {"jpegls", "sperr"}


def test_sections_are_of_the_volume_and_meet_in_a_voxel(deep: Results, volumes: Path) -> None:
    original = tifffile.imread(volumes / "images" / "e1-2_input.tif")
    trial = deep.trials[0]
    found = {p.section: p for p in deep.previews(trial.key) if p.kind == "original"}
    assert set(found) == {"XY", "XZ", "YZ"}
    shapes = {name: preview.image.shape for name, preview in found.items()}
    assert shapes == {"XY": (24, 24), "XZ": (18, 24), "YZ": (24, 18)}
    values = {preview.image.pixels[preview.cross] for preview in found.values()}
    assert len(values) == 1
    windows = np.lib.stride_tricks.sliding_window_view(original, (18, 24), axis=(0, 2))
    assert (windows == found["XZ"].image.pixels).all(axis=(-1, -2)).any()
    assert found["XZ"].image.spacing_um == (0.5, 0.25)
    assert found["YZ"].image.spacing_um == (0.25, 0.5)
    kinds = [p.kind for p in deep.previews(trial.key)]
    assert kinds.count("prediction-decoded") == 3


@pytest.mark.usefixtures("report_extra")
def test_the_report_opens_with_both_parts(deep: Results, tmp_path: Path) -> None:
    page = write_report(deep, tmp_path / "r.html").read_text(encoding="utf-8")
    assert '<section id="along-z">' in page
    assert '<section id="volumes">' in page
    assert '"section":"YZ"' in page


def test_planes_know_nothing_of_z(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    """Neither a score nor the identity of a cell changes by a metric that planes do not have."""
    make_dataset()
    names = tuple(METRICS.split('"')[1::2])
    study = study_of().model_copy(update={"metrics": names})
    results = execute(study, tmp_path / "out", settings=settings)
    assert not any("_z" in column for trial in results.trials for column in trial.scores)
    assert [score.name for score in results.scores] == ["rmse", "frc_resolution"]
    bare = study.model_copy(update={"metrics": ("rmse", "frc_resolution")})
    again = execute(bare, tmp_path / "other", settings=settings)
    assert [t.key for t in again.trials] == [t.key for t in results.trials]


def test_a_slow_codec_is_timed_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes 9 seconds a call: after three runs 20 seconds are over."""
    ticks = iter(range(0, 10**6, 9))
    monkeypatch.setattr(speed.time, "perf_counter", lambda: float(next(ticks)))
    image = speed.Image(volume(0), bits=12)
    timing = speed.time_codec(codec("zstd"), image)
    assert timing.repeats == 3
    assert (timing.encode_s, timing.decode_s) == (9, 9)


@pytest.mark.usefixtures("report_extra")
def test_a_store_of_the_version_before_is_read_and_goes_on(
    deep: Results, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    """Without sections and the word for volumes, as it was written then."""
    file = tmp_path / "out" / FILE
    with sqlite3.connect(file) as db:
        db.execute("DELETE FROM previews WHERE section != 'XY'")
        db.execute("ALTER TABLE previews DROP COLUMN section")
        db.execute("ALTER TABLE previews DROP COLUMN crossing")
        db.execute("UPDATE plan SET names = json_remove(names, '$.volumetric')")
        db.execute("UPDATE study SET value = replace(value, ',\"plane_spacing_um\":0.5', '')")
        db.execute("PRAGMA user_version=1")
    db.close()
    old = load_results(tmp_path / "out")
    assert [trial.scores for trial in old.trials] == [trial.scores for trial in deep.trials]
    assert not any(trial.volumetric for trial in old.trials)
    shown = old.previews(old.trials[0].key)
    assert {(p.section, p.cross) for p in shown} == {("XY", None)}
    write_report(old, tmp_path / "old.html")
    more = study_of(
        folder="deep", dataset='tasks = ["fake/doubling"]', codecs=CODECS.replace("[8]", "[8, 16]")
    )
    results = execute(more, tmp_path / "out", settings=settings)
    sections = {p.section for trial in results.trials for p in results.previews(trial.key)}
    assert sections == {"XY", "XZ", "YZ"}
