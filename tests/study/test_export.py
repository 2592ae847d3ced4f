"""The exported table: the columns of the design in their order, nothing lost, nothing half."""

import csv
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cytopress.errors import UsageError
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.export import export
from cytopress.study.results import Results
from cytopress.study.spec import Study

from .conftest import Doubling, MakeDataset

# fmt: off
COLUMNS = [
    "study", "dataset", "field", "group", "split", "codec", "options", "bits", "target",
    "target_value", "reached", "regime", "trained_on", "seed", "raw_bytes", "coded_bytes",
    "encode_s", "decode_s", "error",
]
# fmt: on
SCORES = ["pixels/rmse", "pixels/psnr", "pixels/max_error"] + [
    f"fake/doubling/error/{kind}" for kind in ("baseline", "harm", "agreement")
]


@pytest.fixture
def results(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
) -> Results:
    make_dataset()
    codecs = '[[codecs]]\nspec = "jpegls"\n[[codecs]]\nspec = "jpegls"\nratio = [3, 99999]\n'
    study = study_of(codecs=codecs, dataset='tasks = ["fake/doubling"]\nlimit = 1')
    return execute(study, tmp_path / "out", settings=settings)


def test_csv_has_the_columns_of_the_design_and_every_value(
    results: Results, tmp_path: Path
) -> None:
    export(results, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as stream:
        header, *rows = list(csv.reader(stream))
    assert header == COLUMNS + SCORES
    assert len(rows) == 6
    table = [dict(zip(header, row, strict=True)) for row in rows]
    for row, trial in zip(table, results.trials, strict=True):
        for column in COLUMNS:
            value = getattr(trial, column)
            assert row[column] == ("" if value is None else str(value))
        for column in SCORES:
            if column in trial.scores:
                assert float(row[column]) == trial.scores[column]
            else:
                assert row[column] == ""
    lossless, _, unreachable = table[:3]
    assert lossless["pixels/psnr"] == "inf"
    assert unreachable["error"] != ""
    assert unreachable["coded_bytes"] == ""


def test_parquet_holds_the_same(results: Results, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", exc_type=ImportError)
    export(results, tmp_path / "t.parquet")
    table = parquet.read_table(tmp_path / "t.parquet").to_pydict()
    assert list(table) == COLUMNS + SCORES
    assert table["coded_bytes"] == [trial.coded_bytes for trial in results.trials]
    assert table["target_value"] == [trial.target_value for trial in results.trials]
    assert table["pixels/psnr"][0] == math.inf
    assert table["pixels/psnr"][2] is None


def test_minus_infinity_and_awkward_texts(results: Results, tmp_path: Path) -> None:
    error = 'a "quoted", long\nsentence'
    trial = replace(results.trials[0], error=error, scores={"pixels/psnr": -math.inf})
    export(replace(results, trials=(trial,)), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as stream:
        (row,) = list(csv.DictReader(stream))
    assert (row["error"], row["pixels/psnr"], row["pixels/rmse"]) == (error, "-inf", "")


def test_wrong_names_and_failures_leave_nothing(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"\.csv or \.parquet"):
        export(results, tmp_path / "t.xlsx")
    with pytest.raises(UsageError, match="is not there"):
        export(results, tmp_path / "none" / "t.csv")
    (tmp_path / "here").mkdir()
    broken = replace(results, trials=(*results.trials, None))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        export(broken, tmp_path / "here" / "t.csv")
    assert list((tmp_path / "here").iterdir()) == []
