"""What is said of scores, tasks and the machine beside the table."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cytopress.errors import CytopressWarning
from cytopress.machine import machine, versions
from cytopress.models.model_package import Package
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.facts import task_facts
from cytopress.study.field_job import with_threads
from cytopress.study.inspect_datasets import InspectedDataset
from cytopress.study.spec import Study
from cytopress.tasks.builtin.labelfree import LabelFree

from .conftest import Doubling, MakeDataset

MANIFEST = {
    "name": "labelfree/small",
    "architecture": "unet",
    "axes": "YX",
    "stride": 8,
    "reach": 10,
    "target": {"mean": 1.0, "std": 2.0, "data_range": 3.0},
    "training": {"seed": 7},
    "trained_on": {"train": {"groups": ["a", "b"], "fields": ["1", "2", "3"]}},
    "results": {"mean": {"pearson": 0.91234}},
}
PACKAGED = LabelFree(Package(Path("small.cytomodel"), "1" * 64, MANIFEST))


def test_scores_bear_unit_direction_and_the_main_one(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
) -> None:
    make_dataset(pixel_size_um=0.25, shape=(64, 64))
    study = study_of(dataset='tasks = ["fake/doubling"]').model_copy(
        update={"metrics": ("bias", "frc_resolution")}
    )
    results = execute(study, tmp_path / "out", settings=settings)
    assert [(s.column, s.unit, s.better, s.task, s.main) for s in results.scores] == [
        ("pixels/bias", "counts", "lower", "", False),
        ("pixels/frc_resolution", "cycles/pixel", "higher", "", False),
        ("pixels/frc_resolution_um", "cycles/um", "higher", "", False),
        ("fake/doubling/error", "counts", "lower", "fake/doubling", True),
    ]
    scores = results.trials[0].scores
    assert scores["pixels/frc_resolution_um"] == scores["pixels/frc_resolution"] / 0.25
    (task,) = results.tasks
    assert (task.name, task.weights, task.dataset) == ("fake/doubling", "0" * 64, "tiny")
    assert task.summary == {}


def test_a_task_is_told_in_short(tmp_path: Path, make_dataset: MakeDataset) -> None:
    from cytopress.datasets.dataset import open_dataset

    found = InspectedDataset(
        facts=SimpleNamespace(name="tiny"),  # type: ignore[arg-type]
        dataset=open_dataset(make_dataset()),
        fields=(),
        tasks=(PACKAGED,),
    )
    (told,) = task_facts([found])
    assert told.summary == {
        "architecture": "unet",
        "seed": "7",
        "train": "a, b (3 fields)",
        "on its test fields": "pearson 0.9123",
    }


@pytest.mark.parametrize(
    ("trained_on", "seen"),
    [
        ({"dataset": "tiny", "train": {"groups": ["t1"], "fields": ["t1-0"]}}, None),
        ({"dataset": "other", "train": {"groups": ["e1"], "fields": ["e1-0"]}}, None),
        ({"dataset": "tiny", "train": {"groups": ["e1"], "fields": ["e1-0"]}}, "2 of 4 fields"),
        ({"dataset": "tiny", "validation": {"groups": [], "fields": ["e2-1"]}}, "1 of 4 fields"),
    ],
)
def test_a_model_that_has_seen_the_fields_before_is_told(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
    doubling: list[Doubling],
    trained_on: dict[str, object],
    seen: str | None,
) -> None:
    @dataclass(frozen=True)
    class Trained(Doubling):
        package: Package | None = None

    doubling[0] = Trained(package=Package(Path(), "0" * 64, {"trained_on": trained_on}))
    make_dataset()
    study = study_of(dataset='tasks = ["fake/doubling"]')
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = execute(study, tmp_path / "out", settings=settings)
    told = [str(warning.message) for warning in caught if warning.category is CytopressWarning]
    caution = results.tasks[0].summary.get("caution", "")
    if seen is None:
        assert not told
        assert not caution
    else:
        assert caution.startswith(seen)
        assert [f"fake/doubling on tiny: {caution}."] == told


def test_a_task_that_has_threads_is_limited_and_another_is_left_alone() -> None:
    packaged, other = (with_threads(task, 1) for task in (PACKAGED, Doubling()))
    assert packaged.threads == 1  # type: ignore[attr-defined]
    assert packaged.weights == PACKAGED.weights
    assert other == Doubling()


def test_versions_and_machine_are_those_of_this_process() -> None:
    assert versions()["numpy"] == np.__version__
    assert "imagecodecs" in versions()
    assert int(machine()["processors"]) >= 1
