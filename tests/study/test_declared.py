"""Programs and labels in a study: what has no ground truth is held against the original."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cytopress.errors import UsageError
from cytopress.settings import Settings
from cytopress.study.execute import execute
from cytopress.study.spec import Study

from .conftest import MakeDataset

PROGRAM = """
import json, sys
if len(sys.argv) == 1:
    print(json.dumps([{"name": "shift", "unit": "counts", "better": "lower"}]))
else:
    import tifffile
    one, other = (tifffile.imread(path).astype(float) for path in sys.argv[1:])
    %s
    print(json.dumps({"shift": abs(float(other.mean() - one.mean()))}))
"""


def program(folder: Path, line: str = "pass") -> str:
    (folder / "shift.py").write_text(PROGRAM % line)
    command = f'["{sys.executable}", "shift.py"]'
    return f'[tasks.mine]\nkind = "external"\ncommand = {command}\ntimeout = 60\n'


CODECS = '[[codecs]]\nspec = "jpegls"\n[[codecs]]\nspec = "round-zstd"\nmax_error = 100\n'
TASK = 'tasks = ["external/mine"]\nlimit = 1'


def test_a_program_judges_decoded_images_by_their_originals(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
) -> None:
    make_dataset()
    study = study_of(codecs=CODECS + program(tmp_path), dataset=TASK)
    results = execute(study, tmp_path / "out", settings=settings)
    (facts,) = results.tasks
    assert facts.summary == {
        "ground truth": "none, so the prediction from the original stands for it"
    }
    for trial in results.trials:
        assert trial.scores["external/mine/shift/baseline"] == 0
        harm = trial.scores["external/mine/shift/harm"]
        assert harm == trial.scores["external/mine/shift/agreement"]
        assert (harm == 0) == (trial.codec == "jpegls")


def test_a_program_that_fails_on_a_field_is_a_stored_failure(
    make_dataset: MakeDataset,
    study_of: Callable[..., Study],
    settings: Settings,
    tmp_path: Path,
) -> None:
    make_dataset()
    line = "assert np.array_equal(one, other), 'not the same'".replace(
        "np.", "__import__('numpy')."
    )
    study = study_of(codecs=CODECS + program(tmp_path, line), dataset=TASK)
    results = execute(study, tmp_path / "out", settings=settings)
    for trial in results.trials:
        assert trial.coded_bytes
        assert ("not the same" in trial.error) == (trial.codec != "jpegls")
        assert ("external/mine/shift/harm" in trial.scores) == (trial.codec == "jpegls")


def test_a_name_that_is_not_declared_is_told(
    make_dataset: MakeDataset, study_of: Callable[..., Study], settings: Settings, tmp_path: Path
) -> None:
    make_dataset()
    study = study_of(codecs=CODECS + program(tmp_path), dataset='tasks = ["external/other"]')
    with pytest.raises(UsageError, match="external/other"):
        execute(study, tmp_path / "out", settings=settings)


def test_the_target_channel_is_compressed_and_measured(
    make_dataset: MakeDataset, study_of: Callable[..., Study], settings: Settings, tmp_path: Path
) -> None:
    make_dataset(bits=12)
    study = study_of(
        codecs='[[codecs]]\nspec = "jpegls"\n',
        head="noise_draws = 3",
        dataset='channel = "target"\ntasks = ["measurement"]\nlimit = 1',
    )
    results = execute(study, tmp_path / "out", settings=settings)
    assert {trial.dataset for trial in results.trials} == {"tiny/target"}
    (facts,) = results.datasets
    assert (facts.input, facts.bits) == ("twice the light", 16)
    assert facts.title == "twice the light of Smooth random pixels"
    assert all(trial.scores["measurement/intensity_error/harm"] == 0 for trial in results.trials)
    drawn = [trial.scores["measurement/intensity_error/harm"] for trial in results.noise_replicates]
    assert len(drawn) == 6
    assert len(set(drawn)) == 6
    # The noise that is drawn is as strong as the noise that was found.
    assert all(
        0.5 < trial.scores["pixels/rmse"] / _sigma(facts) < 2 for trial in results.noise_replicates
    )


def _sigma(facts: object) -> float:
    noise = facts.noise  # type: ignore[attr-defined]
    middle = float(np.mean([noise.offset, 6000]))
    return float(np.sqrt(noise.a * max(0, middle - noise.offset) + noise.b))
