"""Pix2pix: it begins as the FNet in a package, resumes exactly, and is served as label-free."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cytopress.errors import PackageError, UnknownNameError, UsageError
from cytopress.models.model_package import open_package
from cytopress.settings import Settings
from cytopress.tasks.registry import from_package

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

KILLED = """
import os, signal, sys
from pathlib import Path
from cytopress.settings import Settings
from cytopress.training.config import TaskTraining
from cytopress.training.task import train_task
def die(done, total, text):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)
data, out, models = (Path(part) for part in sys.argv[1:4])
config = TaskTraining.model_validate_json(sys.argv[4])
train_task(config, out, settings=Settings(data, (models,), data, data), progress=die)
"""


def _config(name: str, adversarial: dict[str, object] | None, **fit: object):  # type: ignore[no-untyped-def]
    from cytopress.training.config import TaskTraining

    return TaskTraining.model_validate(
        {
            "kind": "task",
            "name": name,
            "dataset": "cells",
            "network": {"channels": 4, "depth": 2},
            "fit": {"steps": 6, "batch": 2, "crop": 32, "validate_every": 2, "threads": 1, **fit},
            "adversarial": adversarial
            and {"channels": 4, "layers": 2, "learning_rate": 1e-3, **adversarial},
        }
    )


@pytest.fixture
def started(settings: Settings, tmp_path: Path) -> Settings:
    """Settings whose folder ``models`` holds the FNet ``labelfree/cells``."""
    from cytopress.training.task import train_task

    models = tmp_path / "models"
    train_task(_config("labelfree/cells", None, steps=20), models, settings=settings)
    return settings.with_models(models)


def _pix2pix(**fit: object):  # type: ignore[no-untyped-def]
    return _config("labelfree-pix2pix/cells", {"start": "labelfree/cells"}, **fit)


def _fnet(settings: Settings):  # type: ignore[no-untyped-def]
    return open_package(settings.models[0] / "labelfree-cells.cytomodel")


def test_begins_as_the_fnet(started: Settings) -> None:
    from cytopress.training.kinds.registry import kind_of
    from cytopress.training.module import predict_whole

    module = kind_of(_pix2pix(), started).module(_pix2pix(), [])
    plane = np.random.default_rng(0).normal(size=(1, 1, 24, 36)).astype(np.float32)
    (expected,) = _fnet(started).run("network", plane)
    assert np.ptp(expected) > 0.1
    for network in (module.network, module.averaged.module):
        with torch.no_grad():
            found = predict_whole(network.eval(), torch.from_numpy(plane)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_step_of_nothing_leaves_the_prediction(started: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    config = _pix2pix(steps=2, learning_rate=1e-12, weight_decay=0.0)
    package = open_package(train_task(config, tmp_path / "out", settings=started))
    plane = np.random.default_rng(1).normal(size=(1, 1, 24, 36)).astype(np.float32)
    (expected,), (found,) = (p.run("network", plane) for p in (_fnet(started), package))
    np.testing.assert_allclose(found, expected, atol=2e-3 * float(np.abs(expected).max()))


def test_every_loss_is_trained_and_told(started: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    config = _pix2pix(steps=40, validate_every=10)
    path = train_task(config, tmp_path / "out", settings=started)
    rows = (tmp_path / "out" / "log.csv").read_text().splitlines()
    names = rows[0].split(",")
    first, last = (dict(zip(names, map(float, row.split(",")), strict=True)) for row in rows[1::3])
    assert last["discriminator"] < 0.9 * first["discriminator"]
    assert min(first["features"], first["adversarial"], first["reconstruction"]) > 0
    weighed = first["reconstruction"] + 0.02 * first["adversarial"] + 0.2 * first["features"]
    assert first["loss"] == pytest.approx(weighed, rel=1e-5)
    package = open_package(path)
    assert package.manifest["start"]["sha256"] == _fnet(started).sha256
    assert package.manifest["selection"] == {"by": "", "of": 4, "step": 40}
    assert from_package(package).name == "labelfree-pix2pix/cells"
    card = (tmp_path / "out" / "card.md").read_text()
    assert _fnet(started).sha256 in card
    assert "the validation score is shown, but chose nothing" in card


@pytest.mark.long
def test_killed_and_resumed_equals_uninterrupted(started: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    config = _pix2pix(steps=7)
    whole = train_task(config, tmp_path / "whole", settings=started)
    out = tmp_path / "killed"
    assert started.data is not None
    arguments = [started.data, out, started.models[0], config.model_dump_json()]
    died = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert died.returncode == -signal.SIGKILL
    rounds: list[int] = []
    resumed = train_task(
        config, out, settings=started, progress=lambda done, *_: rounds.append(done)
    )
    assert rounds == [6, 7]
    assert open_package(resumed).read("network.onnx") == open_package(whole).read("network.onnx")
    one, other = (
        torch.load(folder / "checkpoint.ckpt", weights_only=True)
        for folder in (out, tmp_path / "whole")
    )
    for name, tensor in one["state_dict"].items():
        assert torch.equal(tensor, other["state_dict"][name]), name
    assert any(name.startswith("discriminators.") for name in one["state_dict"])
    assert len(one["optimizer_states"]) == len(other["optimizer_states"]) == 2
    for mine, theirs in zip(one["optimizer_states"], other["optimizer_states"], strict=True):
        for number, state in mine["state"].items():
            assert all(torch.equal(state[key], theirs["state"][number][key]) for key in state)
    assert (out / "log.csv").read_text() == (tmp_path / "whole" / "log.csv").read_text()


def test_plain_steps_come_first(settings: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    config = _config("labelfree-pix2pix/cells", {"plain_steps": 4})
    train_task(config, tmp_path, settings=settings)
    rows = (tmp_path / "log.csv").read_text().splitlines()
    at = rows[0].split(",").index("discriminator")
    assert [bool(row.split(",")[at]) for row in rows[1:]] == [False, False, True]


def test_a_start_that_does_not_fit_is_refused(started: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    other = _pix2pix().model_copy(update={"network": _pix2pix().network.model_copy(
        update={"channels": 6})})  # fmt: skip
    with pytest.raises(PackageError, match="the same channels and depth"):
        train_task(other, tmp_path / "size", settings=started)
    missing = _config("labelfree-pix2pix/cells", {"start": "labelfree/none"})
    with pytest.raises(UnknownNameError, match="labelfree/none"):
        train_task(missing, tmp_path / "name", settings=started)


def test_a_run_from_another_start_is_not_resumed(started: Settings, tmp_path: Path) -> None:
    from cytopress.training.task import train_task

    train_task(_pix2pix(steps=2), tmp_path / "out", settings=started)
    again = tmp_path / "again"
    train_task(_config("labelfree/cells", None, steps=4), again, settings=started)
    with pytest.raises(UsageError, match="another config"):
        train_task(_pix2pix(steps=2), tmp_path / "out", settings=started.with_models(again))
