"""Codecs of a study file that are trained first: once, resumed, or taken from a model folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cytopress.cli import main
from cytopress.errors import CytopressWarning, UsageError
from cytopress.models.model_package import open_package
from cytopress.settings import Settings
from cytopress.study.spec import load_study
from cytopress.study.store import load_results
from cytopress.study.trained_codecs import trained_codecs

pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

TRAINING = """
kind = "codec"
name = "learned/own"
[network]
architecture = "factorized"
latent_channels = 4
analysis = [2, 2]
synthesis = [2, 2]
surface = 0
[rate]
gains = 2
lambda_range = [0.001, 0.1]
[fit]
steps = 2
batch = 1
crop = 64
threads = 1
[[sources]]
dataset = "DATA"
"""
STUDY = """
name = "own"
[[datasets]]
folder = "DATA"
[[codecs]]
spec = "learned/own"
training = "trainings/own.toml"
quality = [0, 1]
"""


@pytest.fixture
def study_file(tmp_path: Path, make_dataset: Callable[..., Path]) -> Path:
    """Return a study file beside the training file of its codec."""
    data = make_dataset(shape=(64, 72))
    (tmp_path / "trainings").mkdir()
    training = TRAINING.replace("DATA", str(data))
    (tmp_path / "trainings" / "own.toml").write_text(training)
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace("DATA", str(data)))
    return path


def test_a_missing_codec_is_trained_once(
    study_file: Path, tmp_path: Path, settings: Settings
) -> None:
    with pytest.raises(UsageError, match="no codec package named"):
        load_study(study_file, settings)
    said: list[str] = []

    def progress(done: int, of: int, text: str) -> None:
        said.append(text)

    out = tmp_path / "out"
    both = trained_codecs(study_file, out, settings, progress)
    study = load_study(study_file, both)
    assert [request.spec for request in study.requests] == [
        "learned/own:quality=0,lines=auto",
        "learned/own:quality=1,lines=auto",
    ]
    assert any(text.startswith("training learned/own: ") for text in said)
    (package,) = study.requests[0].packages
    assert package.path.is_relative_to(out / "models")
    said.clear()
    again = trained_codecs(study_file, out, settings, progress)
    assert again == both
    assert said == []
    # Where a model folder holds it, nothing is trained.
    elsewhere = trained_codecs(study_file, tmp_path / "none", both, progress)
    assert elsewhere == both
    assert not (tmp_path / "none").exists()
    training = tmp_path / "trainings" / "own.toml"
    training.write_text(training.read_text().replace("steps = 2", "steps = 3"))
    with pytest.warns(CytopressWarning, match="own.toml does not describe its training"):
        trained_codecs(study_file, tmp_path / "none", both, progress)
    # In the study's own folder, that is another run.
    with pytest.raises(UsageError):
        trained_codecs(study_file, out, settings, progress)
    assert open_package(package.path).sha256 == package.sha256


def test_only_learned_codecs_have_a_training(study_file: Path, settings: Settings) -> None:
    study_file.write_text(study_file.read_text().replace('"learned/own"', '"jpegxl"'))
    with pytest.raises(UsageError, match="only a learned codec has a training"):
        load_study(study_file, settings)


def test_a_training_file_that_is_not_there(
    study_file: Path, tmp_path: Path, settings: Settings
) -> None:
    (tmp_path / "trainings" / "own.toml").unlink()
    with pytest.raises(UsageError, match=r"own\.toml: cannot be read"):
        trained_codecs(study_file, tmp_path / "out", settings, lambda *_: None)
    assert not (tmp_path / "out").exists()


def test_a_folder_for_the_codecs_must_be_given(study_file: Path, settings: Settings) -> None:
    with pytest.raises(UsageError, match="give --out"):
        trained_codecs(study_file, None, settings, lambda *_: None)


def test_the_command_trains_before_it_codes(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYTOPRESS_MODELS", "")
    text = "noise_draws = 0\nspeed = false\n" + study_file.read_text()
    study_file.write_text(text)
    with pytest.raises(SystemExit) as leave:
        main(["study", "run", str(study_file), "--out", str(tmp_path / "out")])
    assert not leave.value.code
    trials = load_results(tmp_path / "out").trials
    assert {trial.codec for trial in trials} == {"learned/own"}
    assert all(trial.coded_bytes for trial in trials)
