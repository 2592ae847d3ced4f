"""A study folder of version 0.1 opens, exports the same table, and resumes without a trial.

``data_of_0_1`` holds what version 0.1 wrote: a data set of 32 x 32 pixels, a study file, its store
with previews and speeds, models of two seeds and two regimes, and the exported table. It is never
written again: names of classes and modules may change, stored keys and texts may not.
"""

import csv
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cytopress.codecs.targets.request import CodecRequest
from cytopress.image import Image
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.export import export
from cytopress.study.spec import load_study
from cytopress.study.store import load_results

pytestmark = pytest.mark.both_numpy

OLD = Path(__file__).parent / "data_of_0_1"
TABLES = ("study", "yardsticks", "plan", "trials", "pictures", "previews", "speeds")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the old folder, which may be written to."""
    shutil.copytree(OLD, tmp_path / "old")
    return tmp_path / "old"


def rows(store: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(store)) as db:
        return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}


def test_it_exports_the_table_that_version_0_1_exported(folder: Path) -> None:
    results = load_results(folder)
    export(results, folder / "again.csv")
    assert (folder / "again.csv").read_text() == (OLD / "trials.csv").read_text()
    assert (results.trials_done, results.trials_planned) == (20, 20)
    assert [speed.codec for speed in results.speeds].count("jpegls") == 4
    shown = {p.kind for trial in results.trials for p in results.previews(trial.key)}
    assert shown == {"original", "decoded", "truth", "prediction", "prediction-decoded"}


def test_it_resumes_without_one_trial_run_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: CodecRequest, image: Image) -> None:
        raise AssertionError(f"{self.spec} coded {image!r} again")

    monkeypatch.setattr(CodecRequest, "solve", never)
    settings = Settings(
        data=folder, models=(folder / "models",), cache=tmp_path / "cache", user_data=tmp_path
    )
    before, steps = rows(folder / "study.sqlite"), []
    study = load_study(folder / "study.toml", settings)
    results = execute(study, folder, settings=settings, progress=lambda *step: steps.append(step))
    assert [step for step in steps if step[2] == "trials"] == [(20, 20, "trials")]
    # Every text as well is what would be written now, apart from scores that tasks have got since.
    after = rows(folder / "study.sqlite")
    old, new = (json.loads(dict(tables.pop("study"))["scores"]) for tables in (before, after))
    assert [score for score in new if score in old] == old
    assert after == before
    assert not (folder / "models" / "labelfree-tiny").exists()
    export(results, folder / "again.csv")
    exported, again = (_table(path) for path in (OLD / "trials.csv", folder / "again.csv"))
    assert [{name: row[name] for name in exported[0]} for row in again] == exported


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
