"""What a study names and this machine lacks is left out where the study allows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cytopress.errors import CytopressWarning, UnknownNameError, UsageError
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.left_out import without_missing
from cytopress.study.spec import Study
from cytopress.study.store import load_results

from .conftest import MakeDataset

MakeStudy = Callable[..., Study]
ABSENT = '[[datasets]]\nimages = "nowhere/cells"\noptional = true\n'


def test_a_study_with_everything_is_itself(make_dataset: MakeDataset, study_of: MakeStudy) -> None:
    make_dataset()
    study = study_of()
    assert without_missing(study) == (study, ())


def test_an_optional_folder_that_is_not_there_is_left_out(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    study = study_of(dataset=ABSENT)
    with pytest.warns(CytopressWarning, match="nowhere/cells: left out, there is no such folder"):
        execute(study, tmp_path / "out", settings=settings)
    results = load_results(tmp_path / "out")
    assert [facts.name for facts in results.datasets] == ["tiny"]
    assert results.left_out == ("nowhere/cells: left out, there is no such folder.",)


def test_a_study_of_nothing_is_refused(
    make_dataset: MakeDataset, study_of: MakeStudy, tmp_path: Path
) -> None:
    folder = make_dataset()
    study = study_of(dataset="optional = true")
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="No codec, or no dataset"):
        without_missing(study)


def test_a_codec_may_be_for_some_datasets(
    make_dataset: MakeDataset, study_of: MakeStudy, settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    make_dataset("other")
    codecs = '[[codecs]]\nspec = "jpegls"\n[[codecs]]\nspec = "zstd"\ndatasets = ["DATASET"]\n'
    both = '[[datasets]]\nfolder = "other"\n'
    study = study_of(dataset=both, codecs=codecs.replace("DATASET", "other"))
    trials = execute(study, tmp_path / "out", settings=settings).trials
    assert {(trial.dataset, trial.codec) for trial in trials} == {
        ("tiny", "jpegls"),
        ("other", "jpegls"),
        ("other", "zstd"),
    }
    wrong = study_of(dataset=both, codecs=codecs.replace("DATASET", "othr"))
    with pytest.raises(UnknownNameError, match="othr"):
        execute(wrong, tmp_path / "wrong", settings=settings)
