"""A study with a real model: its scores are those of the model by itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.spec import codec
from cytopress.datasets.catalogue import dataset
from cytopress.errors import CytopressError
from cytopress.settings import Settings, from_environment
from cytopress.study.execute import execute
from cytopress.study.spec import Study, parse_study
from cytopress.tasks.protocol import Task
from cytopress.tasks.registry import task

NAME = "labelfree/scratch-assay"
STUDY = """
name = "real"
speed = false
[[datasets]]
name = "scratch-assay"
fields = ["t02_columns-400-576", "t07_columns-400-576"]
tasks = ["labelfree/scratch-assay"]
[[codecs]]
spec = "jpeg2000"
ratio = [40]
[[codecs]]
spec = "jpegls"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(from_environment(), cache=tmp_path / "cache", data=None)


@pytest.fixture
def study() -> Study:
    return parse_study(STUDY, folder=Path(), label="real.toml")


@pytest.fixture
def model(settings: Settings) -> Task:
    try:
        dataset("scratch-assay", settings)
    except CytopressError as error:
        pytest.skip(str(error))
    return task(NAME, settings)


def test_scores_are_those_of_the_model_by_itself(
    study: Study, settings: Settings, tmp_path: Path, model: Task
) -> None:
    lossy, lossless = execute(study, tmp_path / "out", settings=settings).trials[:2]
    images = dataset("scratch-assay", settings)
    (field,) = [f for f in images.fields if f.name == lossy.field]
    original, truth = images.read_input(field), images.read_target(field)
    decoded = codec("jpeg2000").decode(codec("jpeg2000:ratio=40").encode(original))

    def correlation(one: object, other: object) -> float:
        pixels = [np.asarray(image.pixels, float).ravel() for image in (one, other)]  # type: ignore[attr-defined]
        return float(np.corrcoef(*pixels)[0, 1])

    before, after = model.predict(original), model.predict(decoded)
    expected = {
        "baseline": correlation(before, truth),
        "harm": correlation(after, truth),
        "agreement": correlation(after, before),
    }
    for kind, value in expected.items():
        assert lossy.scores[f"{NAME}/pearson/{kind}"] == pytest.approx(value, abs=1e-6)
    assert expected["harm"] < expected["baseline"]
    assert lossless.scores[f"{NAME}/pearson/harm"] == lossless.scores[f"{NAME}/pearson/baseline"]
    assert lossless.scores[f"{NAME}/nrmse/agreement"] == 0


@pytest.mark.long
@pytest.mark.usefixtures("model")
def test_processes_predict_as_one_process_does(
    study: Study, settings: Settings, tmp_path: Path
) -> None:
    tables = [
        [
            replace(trial, encode_s=None, decode_s=None)
            for trial in execute(study, tmp_path / f"{jobs}", settings=settings, jobs=jobs).trials
        ]
        for jobs in (1, 2)
    ]
    assert len(tables[0]) == 4
    assert tables[0] == tables[1]
