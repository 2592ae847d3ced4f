"""The reference study as one command, made small: from its file to the claims on its page."""

from __future__ import annotations

import re
import shutil
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytest.importorskip("plotly", reason="needs the extra report")

from cytopress.cli import main
from cytopress.errors import CytopressWarning
from cytopress.models.model_package import open_package
from cytopress.settings import Settings
from cytopress.study.store import load_results
from cytopress.training.codec.config import CodecTraining
from cytopress.training.config import TaskTraining
from cytopress.training.task import train_task

from .conftest import MakeDataset

pytestmark = pytest.mark.learn

ROOT = Path(__file__).parents[2]
# Small enough for a test, and above the least that each has.
TINY_FIT = {"steps": 6, "coarser_steps": 1, "batch": 1, "crop": 64, "validate_every": 1}
RATIOS = [2, 3, 4, 8]


class Stopped(Exception):  # noqa: N818 - no error, the end of a sitting
    """A training that is left."""


def toml(tables: dict[str, Any]) -> str:
    """Write tables whose values are texts, numbers, or lists of them."""

    def value(given: Any) -> str:
        if isinstance(given, bool):
            return str(given).lower()
        return repr(given).replace("'", '"')

    plain = [f"{key} = {value(own)}" for key, own in tables.items() if not _nested(own)]
    for key, own in tables.items():
        for table in own if _nested(own) and isinstance(own, list) else [own] * _nested(own):
            mark = f"[[{key}]]" if isinstance(own, list) else f"[{key}]"
            plain += [mark, *(f"{name} = {value(one)}" for name, one in table.items())]
    return "\n".join(plain) + "\n"


def _nested(own: Any) -> bool:
    return isinstance(own, dict) or (isinstance(own, list) and isinstance(own[0], dict))


@pytest.fixture
def small(make_dataset: MakeDataset, settings: Settings, tmp_path: Path) -> Path:
    """Return the study file with the same keys on a small dataset, with short trainings."""
    data = make_dataset(shape=(64, 72), per_group=3)
    # A folder has no test fields, which would be scored at the end of each training.
    images = tmp_path / "inputs"
    images.mkdir()
    for path in (data / "images").glob("[tv]1-*_input.tif"):
        shutil.copy(path, images)
    settings = Settings(data.parent, (), settings.cache, settings.user_data)
    plain = {
        "kind": "task",
        "name": "labelfree/tiny",
        "dataset": "tiny",
        "network": {"channels": 2, "depth": 1},
        "fit": {"steps": 3, "batch": 2, "crop": 16, "threads": 1},
    }
    train_task(TaskTraining.model_validate(plain), tmp_path / "judge", settings=settings)
    study = tomllib.loads((ROOT / "reference" / "zhou2024.toml").read_text())
    study |= {"seeds": [1], "noise_draws": 2}
    study["trained_on"] = ["jpeg2000:ratio=8", study["trained_on"][1]]
    study["datasets"] = [{"name": "tiny", "tasks": ["labelfree/tiny"]}]
    codecs = []
    for entry in study["codecs"]:
        if entry["spec"].startswith(("learned/", "jpegxl", "avif")):
            continue
        if "datasets" in entry:
            entry["datasets"] = ["tiny"]
        if "ratio" in entry:
            entry["ratio"] = RATIOS
        if "training" in entry:
            source = tomllib.loads((ROOT / "reference" / entry["training"]).read_text())
            assert CodecTraining.model_validate(source).steps_of(3) == 60_000
            assert CodecTraining.model_validate(source).steps_of(0) == 15_000
            source["network"] |= {key: 4 for key in "NM" if key in source["network"]}
            source["fit"] |= TINY_FIT
            source["sources"] = [{"folder": str(images), "validation": ["v1-*"]}]
            name = Path(entry["training"]).name
            (tmp_path / name).write_text(toml(source))
            entry["training"] = name
        codecs.append(entry)
    study["codecs"] = codecs
    path = tmp_path / "zhou2024.toml"
    path.write_text(toml(study))
    return path


def run(path: Path, *models: Path) -> Path:
    out = path.parent / "out"
    options = [text for folder in models for text in ("--models", str(folder))]
    with warnings.catch_warnings():
        # As outside of tests, where a warning is a note.
        warnings.simplefilter("default", CytopressWarning)
        with pytest.raises(SystemExit) as leave:
            main(["study", "run", str(path), "--out", str(out), *options])
    assert not leave.value.code
    return out


def words(out: Path) -> str:
    page = (out / "report.html").read_text()
    section = page[page.index('<section id="claims">') :]
    text = re.sub(r"<[^>]*>", " ", section[: section.index("</section>")])
    return " ".join(text.split())


# All architectures are trained, scored and coded with: minutes.
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_command_from_the_file_to_the_claims(
    small: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CYTOPRESS_DATA", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("CYTOPRESS_MODELS", "")
    out = run(small, tmp_path / "judge")
    said = capsys.readouterr().err
    assert said.count("pretrained weights are not on this machine") == 1
    results = load_results(out)
    assert not any(trial.error for trial in results.trials)
    trained = {t.codec for t in results.trials if t.codec.startswith("compressai/")}
    assert trained == {
        "compressai/bmshj2018-factorized",
        "compressai/mbt2018-mean",
        "compressai/cheng2020-anchor",
    }
    (left_out,) = results.left_out
    assert "weights=zoo-mse" in left_out
    assert {trial.regime for trial in results.trials} == {"raw", "matched"}
    text = words(out)
    for claim in (
        "1. One setting for three classic codecs",
        "2. Fewer bytes at equal similarity",
        "3. The analysis of planes is hardly affected",
        "4. Volumes are more fragile cannot be told",
        "5. Training on decoded images helps",
    ):
        assert claim in text
    assert "mbt2018-mean as trained here against" in text
    assert "Trainings that have not ended" not in text
    assert left_out in text


def test_an_unfinished_training_is_a_curve_with_its_slope(
    small: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CYTOPRESS_DATA", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("CYTOPRESS_MODELS", "")
    study = tomllib.loads(small.read_text())
    (own,) = [one for one in study["codecs"] if "bmshj2018" in one["spec"] and "training" in one]
    classic = [one for one in study["codecs"] if one["spec"] in ("jpeg2000", "jpegxr")]
    study["codecs"] = [*classic, own]
    study["regimes"] = ["raw"]
    study.pop("trained_on")
    small.write_text(toml(study))
    training = tmp_path / own["training"]
    package = _interrupted(training, tmp_path / "begun")
    (first, *_, finest) = open_package(package).manifest["unfinished"]
    assert (first["quality"], first["steps"], first["of"]) == (1, 0, 1)
    assert (finest["quality"], finest["steps"], finest["of"]) == (4, 5, 6)
    assert [step for step, _ in finest["losses"]] == [1, 2, 3, 4, 5]
    out = run(small, tmp_path / "judge", package.parent)
    assert "its training has not ended; the page shows how far it is" in capsys.readouterr().err
    results = load_results(out)
    # Rates whose training has not begun are left out.
    values = {t.target_value for t in results.trials if t.codec.startswith("compressai/")}
    assert values == {4.0}
    text = words(out)
    assert "compressai/bmshj2018-factorized 4 5 6 validation" in text
    assert "its training has not ended" in text
    assert "per 1,000 steps, over the last 3" in text
    assert "the training of this rate has not begun" in text


def _interrupted(training: Path, folder: Path) -> Path:
    """Train until the sixth step, then export what there is."""
    from cytopress.training.codec.config import read_codec_training
    from cytopress.training.codec.train import train_codec
    from cytopress.training.codec.unfinished import export_unfinished

    def stop(done: int, of: int, _: str) -> None:
        if (done, of) == (5, 6):
            raise Stopped

    config = read_codec_training(training)
    with pytest.raises(Stopped):
        train_codec(config, folder, progress=stop)
    return export_unfinished(config, folder)
