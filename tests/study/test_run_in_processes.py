"""Several processes give the table that one process gives, whichever of them dies."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cytopress.datasets.dataset import open_dataset
from cytopress.digests import digest_image
from cytopress.settings import Settings
from cytopress.study import inspect_datasets
from cytopress.study.execute import execute
from cytopress.study.spec import Study
from cytopress.study.store import load_results
from cytopress.study.trial import Trial
from fakes.watched_task import Watched

from .conftest import MakeDataset

CODECS = """
[[codecs]]
spec = "jpegls"
max_error = [1, 2, 3, 4, 5, 6]
[[codecs]]
spec = "jpegls"
ratio = [2, 100000]
[[codecs]]
spec = "round-zstd"
max_error = [500]
"""
TASK = 'tasks = ["fake/watched"]\n'


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Watched]:
    """Make the task of the study."""
    tasks: list[Watched] = []
    monkeypatch.setattr(inspect_datasets, "task", lambda name, settings: tasks[-1])

    def make(**options: int) -> Watched:
        folder = tmp_path / f"notes-{len(tasks)}"
        folder.mkdir()
        tasks.append(Watched(folder, **options))
        return tasks[-1]

    return make


def table(trials: object) -> list[Trial]:
    return [replace(trial, encode_s=None, decode_s=None) for trial in trials]  # type: ignore[attr-defined]


def originals(folder: Path) -> dict[str, str]:
    """The names of the dataset's fields by the digests of their originals."""
    dataset = open_dataset(folder)
    return {digest_image(dataset.read_input(field)): field.name for field in dataset.fields}


def test_processes_give_the_table_of_one_process(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
    watched: Callable[..., Watched],
) -> None:
    fields = originals(make_dataset())
    study = study_of(codecs=CODECS, dataset=TASK, head="noise_draws = 2")
    watched()
    alone = execute(study, tmp_path / "alone", settings=settings)
    task, stored = watched(), []

    def look(done: int, total: int, now: str) -> None:
        if now == "trials":
            stored.append((done, load_results(tmp_path / "out").trials_done))

    together = execute(study, tmp_path / "out", settings=settings, jobs=2, progress=look)
    assert len(alone.trials) == 36
    assert table(together.trials) == table(alone.trials)
    assert table(together.noise_replicates) == table(alone.noise_replicates)
    pictures = [
        [list(results.previews(trial.key)) for trial in results.trials]
        for results in (alone, together)
    ]
    assert pictures[0] == pictures[1]
    # Each result was in the store before the next one came.
    assert stored == [(done, done) for done in range(45)]
    notes = task.notes()
    assert len({note.process for note in notes}) == 2
    predicted = Counter((note.process, note.digest) for note in notes if note.digest in fields)
    # A process predicts from an original once; only at the end do two work on one field.
    assert set(predicted.values()) == {1}
    assert 4 <= len(predicted) <= 6


def test_one_field_keeps_all_processes_busy(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
    watched: Callable[..., Watched],
) -> None:
    fields = originals(make_dataset())
    task = watched()
    study = study_of(codecs=CODECS, dataset=TASK + 'fields = ["e1-0"]')
    results = execute(study, tmp_path / "out", settings=settings, jobs=2)
    assert [trial.field for trial in results.trials] == ["e1-0"] * 9
    notes = task.notes()
    by_process = Counter(note.process for note in notes if note.digest not in fields)
    assert len(by_process) == 2
    assert min(by_process.values()) >= 2
    predicted = Counter((note.process, note.digest) for note in notes if note.digest in fields)
    assert set(predicted.values()) == {1}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
@pytest.mark.parametrize("deaths", [1, 99])
def test_a_process_that_dies_costs_one_trial_at_most(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
    watched: Callable[..., Watched],
    deaths: int,
) -> None:
    make_dataset()
    study = study_of(codecs=CODECS, dataset=TASK + 'fields = ["e1-0", "e2-0"]')
    watched()
    alone = execute(study, tmp_path / "alone", settings=settings)
    # Rounded to steps of 1001 counts, an image of 12 bits has no more than five values.
    watched(fatal=6, deaths=deaths)
    results = execute(study, tmp_path / "out", settings=settings, jobs=2)
    for one, other in zip(table(results.trials), table(alone.trials), strict=True):
        if deaths > 1 and one.codec == "round-zstd":
            assert "the process that ran this trial died" in one.error
            assert one.coded_bytes is None
        else:
            assert one == other
    # Complete, or tried again in a process of its own with the same end.
    assert execute(study, tmp_path / "out", settings=settings).trials == results.trials
