"""Pictures of fields that nobody had asked for, added to a finished study without a new trial."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.results import Results
from cytopress.study.schema import FILE
from cytopress.study.spec import Study

from .conftest import MakeDataset

MakeStudy = Callable[..., Study]


def stored(out: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(out / FILE) as db:
        rows = db.execute("SELECT key, outcome FROM trials ORDER BY key").fetchall()
    db.close()
    return rows


def test_pictures_are_added_and_nothing_else_changes(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    out = tmp_path / "out"
    first = execute(study_of(), out, settings=settings)
    bare = [trial for trial in first.trials if not first.previews(trial.key)]
    assert bare
    before = stored(out)
    asked = []

    def wanted(results: Results) -> list[str]:
        asked.append(len(results.trials))
        return [bare[0].key, first.trials[0].key, "a key that is not planned"]

    second = execute(study_of(), out, settings=settings, pictured=wanted)
    assert asked == [len(first.trials)]
    assert stored(out) == before
    assert second.trials == first.trials
    kinds = {(one.kind, one.task) for one in second.previews(bare[0].key)}
    pictured = next(trial for trial in first.trials if first.previews(trial.key))
    assert kinds == {(one.kind, one.task) for one in first.previews(pictured.key)}
    assert not second.previews(bare[1].key)


def test_late_pictures_are_those_that_would_have_been_kept(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    early = execute(study_of(), tmp_path / "early", settings=settings)
    kept = next(trial for trial in early.trials if early.previews(trial.key))
    with sqlite3.connect(tmp_path / "early" / FILE) as db:
        db.execute("DELETE FROM previews")
        db.execute("DELETE FROM pictures")
    db.close()
    late = execute(
        study_of(), tmp_path / "early", settings=settings, pictured=lambda results: [kept.key]
    )
    for one, other in zip(early.previews(kept.key), late.previews(kept.key), strict=True):
        assert (one.kind, one.task) == (other.kind, other.task)
        assert np.array_equal(one.image.pixels, other.image.pixels)
