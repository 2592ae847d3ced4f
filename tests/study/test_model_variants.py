"""Models of several seeds and regimes: trained where they are missing, found where they are not."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs the extra learn")

from cytopress.models.model_package import open_package
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.results import Results
from cytopress.study.spec import Study
from cytopress.study.trained_models import Trainer
from cytopress.training.config import TaskTraining
from cytopress.training.task import train_task

from .conftest import MakeDataset

pytestmark = pytest.mark.learn

CODECS = '[[codecs]]\nspec = "jpegls"\n[[codecs]]\nspec = "jpegls"\nmax_error = [8, 200]\n'
HEAD = 'seeds = [1, 5]\nregimes = ["raw", "matched", "cross", "mixed"]\nnoise_draws = 2'
TASKS = 'tasks = ["labelfree/tiny"]\nlimit = 1'


@pytest.fixture
def trained(make_dataset: MakeDataset, settings: Settings, tmp_path: Path) -> Settings:
    """Settings that know a dataset, and a model that was trained on it."""
    folder = make_dataset(shape=(64, 64))
    settings = Settings(folder.parent, (), settings.cache, settings.user_data)
    config = TaskTraining.model_validate(
        {
            "kind": "task",
            "name": "labelfree/tiny",
            "dataset": "tiny",
            "network": {"channels": 2, "depth": 1},
            "fit": {"steps": 3, "batch": 3, "crop": 16, "threads": 1},
        }
    )
    train_task(config, tmp_path / "base", settings=settings)
    return settings.with_models(tmp_path / "base")


def run(study: Study, out: Path, settings: Settings, *, retrain: bool = False) -> Results:
    return execute(study, out, settings=settings, retrain=retrain)


def test_the_full_matrix_is_trained_once_and_every_row_says_what_it_is(
    study_of: Callable[..., Study],
    trained: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = study_of(codecs=CODECS, head=HEAD, dataset=TASKS)
    results = run(study, tmp_path / "out", trained)
    rows = {
        (trial.codec, trial.target_value, trial.regime, trial.trained_on, trial.seed)
        for trial in results.trials
    }
    fine, coarse = "jpegls:max_error=8", "jpegls:max_error=200"
    mixed = f"original + {fine} + {coarse}"
    regimes = {
        None: [("raw", ""), ("cross", fine), ("cross", coarse), ("mixed", mixed)],
        8.0: [("raw", ""), ("matched", fine), ("cross", coarse), ("mixed", mixed)],
        200.0: [("raw", ""), ("cross", fine), ("matched", coarse), ("mixed", mixed)],
    }
    assert rows == {
        ("jpegls", value, *variant, seed)
        for value, those in regimes.items()
        for variant in those
        for seed in (1, 5)
    }
    assert len(results.trials) == 2 * len(rows)
    scores = {
        (trial.regime, trial.trained_on, trial.seed): trial.scores["labelfree/tiny/pearson/harm"]
        for trial in results.trials
        if trial.field == "e1-0" and trial.target_value == 200.0
    }
    assert len(set(scores.values())) == len(scores)
    assert {trial.seed for trial in results.noise_replicates} == {1, 5}
    # Seven models were missing; the one that was there is used as it is.
    assert len(list((tmp_path / "out" / "models").glob("*/*.cytomodel"))) == 7

    def no_training(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Trainer, "_train", no_training)
    assert run(study, tmp_path / "out", trained).trials == results.trials
    # Committed elsewhere, the same models give the same cells.
    folders = [path.parent for path in (tmp_path / "out" / "models").glob("*/*.cytomodel")]
    again = run(study, tmp_path / "again", trained.with_models(*folders))
    assert {trial.key for trial in again.trials} == {trial.key for trial in results.trials}


def test_retraining_takes_no_model_that_is_found(
    study_of: Callable[..., Study], trained: Settings, tmp_path: Path
) -> None:
    study = study_of(codecs=CODECS, head="seeds = [1]", dataset=TASKS)
    used = run(study, tmp_path / "used", trained)
    made = run(study, tmp_path / "made", trained, retrain=True)
    assert not (tmp_path / "used" / "models").exists()
    assert len(list((tmp_path / "made" / "models").glob("*/*.cytomodel"))) == 1
    # The same seed on the same data: the same predictions from other bytes.
    assert {trial.key for trial in used.trials}.isdisjoint(trial.key for trial in made.trials)
    assert [trial.scores for trial in used.trials] == [trial.scores for trial in made.trials]


def test_a_changed_training_image_is_another_model(
    study_of: Callable[..., Study], trained: Settings, tmp_path: Path
) -> None:
    study = study_of(codecs=CODECS, head="seeds = [5]", dataset=TASKS)
    run(study, tmp_path / "out", trained)
    image = tmp_path / "tiny" / "images" / "t1-0_input.tif"
    image.write_bytes((tmp_path / "tiny" / "images" / "t1-1_input.tif").read_bytes())
    run(study, tmp_path / "out", trained)
    assert len(list((tmp_path / "out" / "models").glob("*/*.cytomodel"))) == 2


def test_another_seed_of_a_model_used_to_codecs_is_trained_on_them_too(
    study_of: Callable[..., Study], trained: Settings, tmp_path: Path
) -> None:
    config = TaskTraining.model_validate(
        {
            "kind": "task",
            "name": "labelfree/used",
            "dataset": "tiny",
            "codecs": ["original", "jpegls:max_error=200"],
            "network": {"channels": 2, "depth": 1},
            "fit": {"steps": 3, "batch": 3, "crop": 16, "threads": 1},
        }
    )
    train_task(config, tmp_path / "used", settings=trained)
    both = trained.with_models(tmp_path / "used")
    study = study_of(codecs=CODECS, head="seeds = [1, 2]", dataset='tasks = ["labelfree/used"]')
    run(study, tmp_path / "out", both)
    (found,) = (tmp_path / "out" / "models").glob("*/*.cytomodel")
    made = TaskTraining.model_validate(open_package(found).manifest["training"])
    assert (made.seed, made.codecs) == (2, config.codecs)
