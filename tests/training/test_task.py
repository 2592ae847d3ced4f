"""From config to package: resumed equals uninterrupted, and bad data are refused."""

from __future__ import annotations

import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cytopress.errors import DatasetError, UsageError
from cytopress.models.model_package import open_package
from cytopress.settings import Settings

pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

CONFIG = {
    "kind": "task",
    "name": "labelfree/cells",
    "dataset": "cells",
    "seed": 3,
    "network": {"channels": 4, "depth": 2},
    "fit": {"steps": 7, "batch": 2, "crop": 16, "validate_every": 2, "threads": 1},
    "augmentation": {"zoom": 1.2, "noise": 0.1, "gain": 0.1, "offset": 0.1, "blur": 1.0},
}
KILLED = """
import os, signal, sys
from pathlib import Path
from cytopress.settings import Settings
from cytopress.training.config import TaskTraining
from cytopress.training.task import train_task
def die(done, total, text):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)
data, out = Path(sys.argv[1]), Path(sys.argv[2])
config = TaskTraining.model_validate_json(sys.argv[3])
train_task(config, out, settings=Settings(data, (), data, data), progress=die)
"""


def _config(**fit: int):  # type: ignore[no-untyped-def]
    from cytopress.training.config import TaskTraining

    return TaskTraining.model_validate({**CONFIG, "fit": {**CONFIG["fit"], **fit}})  # type: ignore[dict-item]


def _graph(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("network.onnx")


def _checkpoint(out: Path) -> dict[str, object]:
    import torch

    found = torch.load(out / "checkpoint.ckpt", weights_only=True)
    return {key: found[key] for key in ("state_dict", "optimizer_states", "lr_schedulers")}


def _assert_equal(one: object, other: object) -> None:
    import torch

    if isinstance(one, dict):
        assert isinstance(other, dict)
        assert list(one) == list(other)
        for key, value in one.items():
            _assert_equal(value, other[key])
    elif isinstance(one, list):
        assert isinstance(other, list)
        for mine, theirs in zip(one, other, strict=True):
            _assert_equal(mine, theirs)
    elif isinstance(one, torch.Tensor):
        assert isinstance(other, torch.Tensor)
        assert torch.equal(one, other)
    else:
        assert one == other


@pytest.mark.long
def test_killed_and_resumed_equals_uninterrupted(settings: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    config = _config()
    rounds: list[int] = []
    whole = train_task(
        config, tmp_path / "whole", settings=settings, progress=lambda done, *_: rounds.append(done)
    )
    assert rounds == [2, 4, 6, 7]
    out = tmp_path / "killed"
    assert settings.data is not None
    died = subprocess.run(
        [sys.executable, "-c", KILLED, settings.data, out, config.model_dump_json()], check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert not list(out.glob("*.cytomodel"))
    rounds.clear()
    resumed = train_task(
        config, out, settings=settings, progress=lambda done, *_: rounds.append(done)
    )
    assert rounds == [6, 7]
    assert _graph(resumed) == _graph(whole)
    _assert_equal(_checkpoint(out), _checkpoint(tmp_path / "whole"))
    assert (out / "log.csv").read_text() == (tmp_path / "whole" / "log.csv").read_text()


@pytest.mark.parametrize("after", [(1, 2, 1, 2), (3, 3)], ids=str)
def test_died_within_rounds_and_resumed_equals_uninterrupted(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: tuple[int, ...]
) -> None:
    from cytopress.training.module import TaskModule
    from cytopress.training.task import train_task

    monkeypatch.setattr("cytopress.training.rounds.SAVE_EVERY_S", -1.0)
    config, out = _config(validate_every=3), tmp_path / "died"
    whole = train_task(config, tmp_path / "whole", settings=settings)
    step, left = TaskModule.training_step, [0]

    def dying(module: TaskModule, *inputs: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise BrokenPipeError
        return step(module, *inputs)

    monkeypatch.setattr(TaskModule, "training_step", dying)
    for steps in after:
        left[0] = steps
        with pytest.raises(BrokenPipeError):
            train_task(config, out, settings=settings)
    left[0] = config.fit.steps - sum(after)
    assert _graph(train_task(config, out, settings=settings)) == _graph(whole)
    assert left == [0]
    _assert_equal(_checkpoint(out), _checkpoint(tmp_path / "whole"))
    assert (out / "log.csv").read_text() == (tmp_path / "whole" / "log.csv").read_text()


def test_package_learns_and_tells_what_it_was_made_from(settings: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    path = train_task(_config(steps=40, validate_every=20), tmp_path / "out", settings=settings)
    manifest = open_package(path).manifest
    assert path.name == "labelfree-cells.cytomodel"
    assert manifest["trained_on"]["train"]["fields"] == ["f0", "f1", "f2"]
    assert manifest["trained_on"]["test"] == {"groups": ["c"], "fields": ["f4", "f5"]}
    assert set(manifest["results"]["fields"]) == {"f4", "f5"}
    # The target is a filter of the bank's kind: it must be found, and a network must start to.
    assert manifest["results"]["baseline_mean"]["pearson"] > 0.9
    assert manifest["results"]["mean"]["pearson"] > 0.3
    card = (tmp_path / "out" / "card.md").read_text()
    assert f"{manifest['results']['mean']['pearson']:.4f}" in card
    assert str(tmp_path) not in card
    assert open_package(path).sha256 in card


def test_another_config_is_refused(settings: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    train_task(_config(steps=1), tmp_path / "out", settings=settings)
    with pytest.raises(UsageError, match="another config"):
        train_task(_config(steps=2), tmp_path / "out", settings=settings)


def test_crop_larger_than_a_field(settings: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    with pytest.raises(DatasetError, match="'f0' of cells: 44 x 52 pixels"):
        train_task(_config(crop=48), tmp_path / "out", settings=settings)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.full((44, 52), np.nan, np.float32), "NaN"),
        (np.zeros((44, 51), np.uint16), r"shape \(44, 51\)"),
    ],
    ids=["nan", "shape"],
)
def test_bad_file_is_named(
    settings: Settings, tmp_path: Path, pixels: np.ndarray, said: str
) -> None:
    from cytopress.training.task import train_task

    assert settings.data is not None
    tifffile.imwrite(settings.data / "cells" / "1_target.tif", pixels)
    with pytest.raises(DatasetError, match=said) as caught:
        train_task(_config(), tmp_path / "out", settings=settings)
    assert "1_target.tif" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_no_training_field(settings: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    assert settings.data is not None
    facts = settings.data / "cells" / "dataset.toml"
    facts.write_text(facts.read_text().replace('test = ["c"]', 'test = ["a", "c"]'))
    with pytest.raises(DatasetError, match="no field for training"):
        train_task(_config(), tmp_path / "out", settings=settings)


def test_a_folder_from_when_there_was_one_kind_still_exports(
    settings: Settings, tmp_path: Path
) -> None:
    import torch

    from cytopress.training.task import train_task

    whole = train_task(_config(steps=1), tmp_path / "out", settings=settings)
    before, path = _graph(whole), tmp_path / "out" / "checkpoint.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["labelfree"] = checkpoint.pop("kept")
    torch.save(checkpoint, path)
    whole.unlink()
    assert _graph(train_task(_config(steps=1), tmp_path / "out", settings=settings)) == before
