"""Failures about the machine are tried again; others stay, unless they are asked for."""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.errors import NotAvailableError, TaskError
from cytopress.image import Image
from cytopress.settings import Settings
from cytopress.study import inspect_datasets, run_trial
from cytopress.study.execute import execute
from cytopress.study.plan import TrialPlan
from cytopress.study.schema import FILE
from cytopress.study.spec import Study
from cytopress.tasks.protocol import Prediction
from fakes.watched_task import Watched

from .conftest import Doubling, MakeDataset

MakeStudy = Callable[..., Study]
ONE = 'fields = ["e1-0"]'
LOSSLESS = '[[codecs]]\nspec = "jpegls"\n'
UNREACHABLE = LOSSLESS + '[[codecs]]\nspec = "jpegls"\nratio = [100000]\n'
# Declares one score; compares two images, slowly where there is a file "busy" beside it.
PROGRAM = """#!/bin/sh
if [ $# = 0 ]; then echo '[{"name": "size", "unit": "", "better": "lower"}]'; exit; fi
if [ -e FOLDER/busy ]; then sleep 20; fi
echo '{"size": 1}'
"""


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codecs of the trials that really ran."""
    done: list[str] = []
    honest = run_trial.run_trial

    def counted(plan: TrialPlan, *args: Any) -> run_trial.TrialResult:
        done.append(plan.spec.codec_spec)
        return honest(plan, *args)

    monkeypatch.setattr(run_trial, "run_trial", counted)
    return done


def test_a_missing_extra_is_forgotten_once_it_is_installed(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ran: list[str],
) -> None:
    pytest.importorskip("av", reason="needs the extra video")
    make_dataset()
    study = study_of(codecs=LOSSLESS + '[[codecs]]\nspec = "hevc"\npsnr = [40]\n', dataset=ONE)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "av", None)
        first = execute(study, tmp_path / "out", settings=settings)
    assert first.trials[0].error == ""
    assert "install the extra video" in first.trials[1].error
    again = execute(study, tmp_path / "out", settings=settings)
    assert [trial.error for trial in again.trials] == ["", ""]
    assert again.trials[1].coded_bytes is not None
    assert [spec.split(":")[0] for spec in ran] == ["jpegls", "hevc", "hevc"]
    execute(study, tmp_path / "out", settings=settings)
    assert len(ran) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_a_program_that_took_too_long_runs_again_with_more_time(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    program = tmp_path / "count.sh"
    program.write_text(PROGRAM.replace("FOLDER", str(tmp_path)))
    program.chmod(0o755)

    def run(timeout: int) -> Any:
        declared = (
            f'[tasks.count]\nkind = "external"\ncommand = ["count.sh"]\ntimeout = {timeout}\n'
        )
        study = study_of(codecs=LOSSLESS + declared, dataset=ONE + '\ntasks = ["external/count"]')
        return execute(study, tmp_path / "out", settings=settings).trials[0]

    (tmp_path / "busy").touch()
    slow = run(2)
    assert "took longer than 2 s" in slow.error
    (tmp_path / "busy").unlink()
    done = run(30)
    assert (done.key, done.error) == (slow.key, "")
    assert done.scores["external/count/size/harm"] == 1


@pytest.mark.parametrize("error", [MemoryError("3 GB"), OSError(28, "No space left on device")])
def test_memory_and_disk_are_failures_of_one_trial_and_tried_again(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
    monkeypatch: pytest.MonkeyPatch,
    ran: list[str],
    error: Exception,
) -> None:
    make_dataset()
    study = study_of(dataset=ONE + '\ntasks = ["fake/doubling"]')
    honest = Doubling.predict

    def predict(self: Doubling, image: Image) -> Prediction:
        if len(ran) == 1:
            return honest(self, image)
        raise error

    with monkeypatch.context() as short:
        short.setattr(Doubling, "predict", predict)
        first = execute(study, tmp_path / "out", settings=settings)
    assert [bool(trial.error) for trial in first.trials] == [False, True]
    assert str(error.args[-1]) in first.trials[1].error
    again = execute(study, tmp_path / "out", settings=settings)
    assert [trial.error for trial in again.trials] == ["", ""]
    assert len(ran) == 3


def test_images_that_do_not_fit_into_memory_are_failures_of_their_trials(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    study = study_of(codecs=LOSSLESS)

    def full(job: object) -> None:
        raise MemoryError

    with monkeypatch.context() as short:
        short.setattr("cytopress.study.field_inputs.read_inputs", full)
        first = execute(study, tmp_path / "out", settings=settings)
    assert all("more memory than there is" in trial.error for trial in first.trials)
    again = execute(study, tmp_path / "out", settings=settings)
    assert [trial.error for trial in again.trials] == [""] * 4


def test_a_metric_that_a_worker_lacks_is_a_failure_and_computed_later(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    study = study_of(codecs=LOSSLESS, dataset=ONE)
    honest = run_trial.metric

    def lacking(name: str, **options: Any) -> Any:
        if name == "rmse":
            raise NotAvailableError("rmse needs torch.")
        return honest(name, **options)

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(run_trial, "metric", lacking)
        elsewhere.setattr(run_trial, "available", lambda name: name != "rmse")
        (first,) = execute(study, tmp_path / "out", settings=settings).trials
    assert first.error == "rmse needs torch."
    assert "pixels/psnr" in first.scores
    (again,) = execute(study, tmp_path / "out", settings=settings).trials
    assert (again.error, again.scores["pixels/rmse"]) == ("", 0)


def test_other_failures_are_tried_again_where_asked_for(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
    ran: list[str],
) -> None:
    make_dataset()
    study = study_of(codecs=UNREACHABLE, dataset=ONE + '\ntasks = ["fake/doubling"]')
    doubling[0] = Doubling(refuses=True)
    first = execute(study, tmp_path / "out", settings=settings)
    assert all(trial.error for trial in first.trials)
    doubling[0] = Doubling()
    assert execute(study, tmp_path / "out", settings=settings).trials == first.trials
    assert len(ran) == 2
    asked = execute(study, tmp_path / "out", settings=settings, retry_failed=True)
    assert len(ran) == 4
    # A task's failure is gone; a target out of reach stays so.
    assert [bool(trial.error) for trial in asked.trials] == [False, True]
    execute(study, tmp_path / "out", settings=settings, retry_failed=True)
    assert ran[4:] == ["jpegls:ratio=100000"]


def test_pictures_of_a_failure_are_not_kept_with_those_of_its_retry(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    study = study_of(codecs=LOSSLESS, dataset=ONE + '\ntasks = ["fake/doubling"]')

    def fail(*arguments: object) -> None:
        raise TaskError("no score.")

    with monkeypatch.context() as failing:
        failing.setattr(Doubling, "score", fail)
        failed = execute(study, tmp_path / "out", settings=settings)
    # Then the codec fails, and shows nothing.
    monkeypatch.setattr(JpegLS, "compress", lambda *a: (_ for _ in ()).throw(MemoryError()))
    assert failed.previews(failed.trials[0].key)
    gone = execute(study, tmp_path / "out", settings=settings, retry_failed=True)
    assert not gone.previews(gone.trials[0].key)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
def test_a_trial_that_killed_its_process_is_run_apart_and_costs_no_other(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    notes = tmp_path / "notes"
    notes.mkdir()
    # Rounded to steps of 1001 counts, an image of 12 bits has no more than five values.
    tasks = [Watched(notes)]
    monkeypatch.setattr(inspect_datasets, "task", lambda name, settings: tasks[0])
    codecs = LOSSLESS + '[[codecs]]\nspec = "round-zstd"\nmax_error = [500]\n'
    study = study_of(codecs=codecs, dataset=ONE + '\ntasks = ["fake/watched"]')
    key = execute(study, tmp_path / "plan", settings=settings).trials[1].key
    tasks[0] = Watched(notes, fatal=6)
    out = tmp_path / "out"
    execute(study_of(codecs=LOSSLESS, dataset=ONE), out, settings=settings)
    with closing(sqlite3.connect(out / FILE)) as db, db:
        # As a process leaves it that died of this trial.
        db.execute("INSERT INTO begun VALUES (?)", (key,))
    for _ in range(2):
        fine, died = execute(study, out, settings=settings).trials
        assert fine.error == ""
        assert "the process that ran this trial died" in died.error
    tasks[0] = Watched(notes)
    assert [trial.error for trial in execute(study, out, settings=settings).trials] == ["", ""]
    with closing(sqlite3.connect(out / FILE)) as db:
        assert db.execute("SELECT * FROM begun UNION SELECT * FROM retry").fetchall() == []


def test_a_trial_is_marked_for_as_long_as_it_runs(
    make_dataset: MakeDataset,
    study_of: MakeStudy,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dataset()
    marked: list[list[tuple[str]]] = []
    honest = run_trial.run_trial

    def look(plan: TrialPlan, *args: Any) -> run_trial.TrialResult:
        with closing(sqlite3.connect(tmp_path / "out" / FILE)) as db:
            marked.append(db.execute("SELECT key FROM begun").fetchall())
        assert marked[-1] == [(plan.spec.key,)]
        if len(marked) == 3:
            raise KeyboardInterrupt
        return honest(plan, *args)

    monkeypatch.setattr(run_trial, "run_trial", look)
    with pytest.raises(KeyboardInterrupt):
        execute(study_of(), tmp_path / "out", settings=settings)
    with closing(sqlite3.connect(tmp_path / "out" / FILE)) as db:
        assert db.execute("SELECT key FROM begun").fetchall() == []
