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

from cytopress.codecs.registry import decode_by
from cytopress.errors import CytopressError, CytopressWarning, DatasetError, UsageError
from cytopress.image import Image
from cytopress.models.model_package import open_package
from cytopress.settings import SHIPPED, Settings

pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

CONFIG: dict[str, Any] = {
    "kind": "codec",
    "name": "learned/cells",
    "seed": 3,
    "network": {
        "architecture": "mean-scale",
        "latent_channels": 8,
        "hyper_channels": 4,
        "hyper_width": 4,
        "analysis": [4, 4],
        "synthesis": [4, 4],
    },
    "rate": {"gains": 3, "lambda_range": [0.001, 0.1]},
    "fit": {"steps": 5, "batch": 2, "crop": 64, "validate_every": 2, "threads": 1},
    "sources": [{"dataset": "cells"}],
}
TWO_RATES = {"lambdas": [0.001, 0.1]}
COMPRESSAI: dict[str, Any] = {
    "name": "compressai/cells",
    "network": {"architecture": "compressai/mbt2018-mean", "N": 8, "M": 8},
    "rate": TWO_RATES,
}
# One that ships, so that it is found wherever a training runs.
TASK = {"name": "labelfree/scratch-assay", "weight": 50.0}
KILLED = """
import os, signal, sys
from pathlib import Path
from cytopress.settings import Settings
from cytopress.training.codec.config import CodecTraining
from cytopress.training.codec.train import train_codec
data, out = Path(sys.argv[1]), Path(sys.argv[2])
def die(done, total, text):
    if done >= int(sys.argv[5]) and (out / sys.argv[4]).exists():
        os.kill(os.getpid(), signal.SIGKILL)
config = CodecTraining.model_validate_json(sys.argv[3])
train_codec(config, out, settings=Settings(data, (), data, data), progress=die)
"""


def _config(fit: dict[str, Any] | None = None, **changes: Any):  # type: ignore[no-untyped-def]
    from cytopress.training.codec.config import CodecTraining

    return CodecTraining.model_validate(
        {**CONFIG, **changes, "fit": {**CONFIG["fit"], **(fit or {})}}
    )


def _train(config, settings: Settings, out: Path, **options: Any) -> Path:  # type: ignore[no-untyped-def]
    from cytopress.training.codec.train import train_codec

    return train_codec(config, out, settings=settings, **options)


def _weights(path: Path) -> dict[str, bytes]:
    """Return all that a package holds but the manifest, which tells of time."""
    with zipfile.ZipFile(path) as archive:
        return {n: archive.read(n) for n in archive.namelist() if n != "manifest.json"}


def _codecs(path: Path) -> list[Any]:
    from cytopress.training.codec.validate import codecs_of

    return codecs_of(open_package(path), (0.0, 1.0))


def _field(settings: Settings, name: str) -> Image:
    assert settings.data is not None
    return Image(tifffile.imread(settings.data / "cells" / name))


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "checkpoint", "after"),
    [
        ({}, "checkpoint-r0.ckpt", [4, 5]),
        # Two rates in the other order, and a loss with a task in it: the same state resumes.
        pytest.param({"rate": TWO_RATES}, "checkpoint-r1.ckpt", [4, 5], marks=pytest.mark.slow),
        ({"rate": {**TWO_RATES, "from_finer": True}}, "checkpoint-r0.ckpt", [4, 5]),
        (COMPRESSAI, "checkpoint-r0.ckpt", [4, 5, 2, 4, 5]),
        pytest.param({"task": TASK}, "checkpoint-r0.ckpt", [4, 5], marks=pytest.mark.slow),
    ],
    ids=["gains", "second rate", "from the finer rate", "compressai", "through a task"],
)
def test_killed_and_resumed_equals_uninterrupted(
    cells: Settings, tmp_path: Path, changes: dict[str, Any], checkpoint: str, after: list[int]
) -> None:
    import torch

    config = _config(**changes)
    whole = _train(config, cells, tmp_path / "whole")
    out = tmp_path / "killed"
    assert cells.data is not None
    given = (str(cells.data), str(out), config.model_dump_json(), checkpoint, "2")
    died = subprocess.run([sys.executable, "-c", KILLED, *given], check=False)
    assert died.returncode == -signal.SIGKILL
    assert not list(out.glob("*.cytomodel"))
    rounds: list[int] = []
    # What was drawn before must not matter.
    torch.rand(7)
    resumed = _train(config, cells, out, progress=lambda done, *_: rounds.append(done))
    # A slow machine also reports between rounds.
    assert [done for done in rounds if done in after] == after
    assert rounds[0] > 2
    assert _weights(resumed) == _weights(whole)
    assert (out / "log.json").read_text() == (tmp_path / "whole" / "log.json").read_text()


def test_a_coarse_rate_may_start_from_the_finer_one(
    cells: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a learning rate of almost nothing it stays what the finer one began as."""
    from cytopress.training.codec.networks import LatentNetwork

    begun: list[float] = []
    begin = LatentNetwork.begin

    def counted(network: Any, x: Any) -> None:
        begun.append(network.lambdas[0])
        begin(network, x)

    monkeypatch.setattr(LatentNetwork, "begin", counted)
    fit = {"steps": 1, "validate_fields": 0, "learning_rate": 1e-12}
    rate = {**TWO_RATES, "from_finer": True}
    path = _train(_config(fit, rate=rate), cells, tmp_path / "out")
    package = open_package(path)
    coarse, fine = (package.array(f"r{n}/scale_bias") for n in (0, 1))
    np.testing.assert_array_equal(coarse, fine)
    # What was learned is not set back to what an untrained transform gives.
    assert begun == [0.1]
    apart = _train(_config(fit, rate=TWO_RATES), cells, tmp_path / "apart")
    coarse, fine = (open_package(apart).array(f"r{n}/scale_bias") for n in (0, 1))
    assert not np.array_equal(coarse, fine)


def test_two_trainings_of_one_seed_are_equal(cells: Settings, tmp_path: Path) -> None:
    config = _config({"steps": 2, "validate_fields": 0}, rate=TWO_RATES)
    one, two = (_train(config, cells, tmp_path / name) for name in ("one", "two"))
    assert _weights(one) == _weights(two)


def test_package_tells_what_it_was_made_from_and_codes(cells: Settings, tmp_path: Path) -> None:
    lines: list[str] = []
    path = _train(
        _config(), cells, tmp_path / "out", progress=lambda *given: lines.append(given[2])
    )
    package = open_package(path)
    assert path.name == "cells.cytomodel"
    (source,) = package.manifest["trained_on"]
    assert (source["name"], source["groups"], source["planes"]) == ("cells", ["a"], 2)
    assert package.manifest["results"]["cells"]["fields"] == ["f3"]
    assert package.manifest["training"] == _config().model_dump(mode="json")
    card = (tmp_path / "out" / "card.md").read_text()
    assert package.sha256 in card
    assert str(tmp_path) not in card
    assert list((tmp_path / "out").glob("tensorboard/*/events*"))
    assert all(word in lines[-1] for word in ("bits/pixel", "dB", "min left", "cells"))
    image = _field(cells, "3_input.tif")
    coarse, fine = (len(codec.encode(image)) for codec in _codecs(path))
    assert coarse < fine


def test_a_longer_training_codes_better(cells: Settings, tmp_path: Path) -> None:
    """By the loss that it is trained on, with true bytes of a field that it never saw."""
    image = _field(cells, "3_input.tif")
    low, high = np.percentile(image.pixels, (0.1, 99.9))

    def loss(steps: int) -> float:
        fit = {"steps": steps, "validate_every": steps, "validate_fields": 0}
        path = _train(
            _config({**fit, "learning_rate": 3e-3}, rate={"lambdas": [0.1]}),
            cells,
            tmp_path / str(steps),
        )
        (codec,) = _codecs(path)
        data = codec.encode(image)
        error = (decode_by(codec, data).pixels.astype(float) - image.pixels) / (high - low)
        return 8 * len(data) / image.pixels.size + 0.1 * 255**2 * float(np.mean(error**2))

    assert loss(60) < 0.95 * loss(1)


@pytest.mark.filterwarnings("ignore:This processor has no instructions for bfloat16")
@pytest.mark.parametrize(
    "changes",
    [
        {"network": {**CONFIG["network"], "architecture": "factorized"}},
        {"network": {**CONFIG["network"], "architecture": "hyperprior"}},
        {"network": {**CONFIG["network"], "architecture": "context", "context_channels": 3}},
        {"loss": {"domain": "stabilized"}},
        {"loss": {"distortion": "ms-ssim"}, "fit": {"crop": 192}},
        {"loss": {"rdo": 10.0}},
        {"fit": {"precision": "bfloat16"}},
        {"rate": TWO_RATES},
        {"task": {**TASK, "layer": "features"}},
        COMPRESSAI,
        {
            "name": "compressai/cells",
            "network": {"architecture": "compressai/bmshj2018-hyperprior-vbr", "N": 8, "M": 8},
            "rate": {"gains": 8, "lambda_range": [0.001, 0.1]},
        },
    ],
    ids=[
        "factorized",
        "hyperprior",
        "context",
        "stabilized",
        "ms-ssim",
        "rdo",
        "bfloat16",
        "two rates",
        "through a task",
        "compressai",
        "compressai with gains",
    ],
)
def test_every_kind_trains_and_codes_an_unseen_field(
    cells: Settings, tmp_path: Path, changes: dict[str, Any]
) -> None:
    if changes.get("loss", {}).get("distortion") == "ms-ssim":
        _enlarge(cells)
    given = {"fit": {"steps": 2, **changes.get("fit", {})}}
    path = _train(_config(**{**changes, **given}), cells, tmp_path / "out")
    image = _field(cells, "3_input.tif")
    codecs = _codecs(path)
    assert len(codecs) == (1 if changes.get("rate", {}).get("lambdas") == [0.1] else 2)
    for codec in codecs:
        assert decode_by(codec, codec.encode(image)).pixels.shape == image.shape


def _enlarge(settings: Settings) -> None:
    assert settings.data is not None
    for path in (settings.data / "cells").glob("*.tif"):
        tifffile.imwrite(path, np.tile(tifffile.imread(path), (3, 3)))


@pytest.mark.parametrize("changes", [{}, COMPRESSAI], ids=["ours", "compressai"])
def test_a_training_that_ended_is_not_repeated(
    cells: Settings,
    tmp_path: Path,
    changes: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = _config({"steps": 1, "validate_fields": 0}, **changes)
    out = tmp_path / "out"
    path = _train(config, cells, out)
    before = path.stat()
    monkeypatch.setattr("cytopress.training.codec.train.load_planes", None)
    assert _train(config, cells, out) == path
    assert path.stat() == before
    monkeypatch.undo()
    # Killed before its last file was there: exported again, from the checkpoints alone.
    path.unlink()
    rounds: list[int] = []
    assert _train(config, cells, out, progress=lambda done, *_: rounds.append(done)) == path
    assert path.is_file()
    assert not rounds


def test_another_config_is_refused(cells: Settings, tmp_path: Path) -> None:
    _train(_config({"steps": 1}), cells, tmp_path / "out")
    with pytest.raises(UsageError, match="another config"):
        _train(_config({"steps": 2}), cells, tmp_path / "out")


def test_start_from_a_package(cells: Settings, tmp_path: Path) -> None:
    """With a learning rate of almost nothing the weights stay what they were."""
    still = {"steps": 1, "validate_fields": 0, "learning_rate": 1e-12}
    first = _train(_config({"steps": 3, "validate_fields": 0}), cells, tmp_path / "first")
    settings = cells.with_models(first.parent)
    second = _train(_config(still, init="learned/cells", seed=4), settings, tmp_path / "second")
    image = _field(cells, "3_input.tif")
    for one, other in zip(_codecs(first), _codecs(second), strict=True):
        before, after = (decode_by(c, c.encode(image)).pixels.astype(int) for c in (one, other))
        # Weights were rounded to half floats once more.
        assert np.abs(before - after).max() <= 0.01 * np.ptp(image.pixels)


def test_start_from_a_package_of_compressai(cells: Settings, tmp_path: Path) -> None:
    fit = {"steps": 1, "validate_fields": 0, "learning_rate": 1e-12}
    changes = {**COMPRESSAI, "rate": {"lambdas": [0.1]}}
    first = _train(_config(fit, **changes), cells, tmp_path / "first")
    start = {**changes, "init": str(first), "seed": 4}
    second = _train(_config(fit, **start), cells, tmp_path / "second")
    name = "r0/state/g_a.0.weight"
    before, after = (open_package(path).array(name) for path in (first, second))
    np.testing.assert_allclose(after, before, atol=1e-6)


@pytest.mark.parametrize(
    ("network", "rate"),
    [
        ({"latent_channels": 6}, CONFIG["rate"]),
        ({"architecture": "hyperprior"}, CONFIG["rate"]),
        ({}, {"lambdas": [0.1]}),
    ],
    ids=["width", "architecture", "gains"],
)
def test_start_from_another_network_is_refused(
    cells: Settings, tmp_path: Path, network: dict[str, Any], rate: dict[str, Any]
) -> None:
    first = _train(_config({"steps": 1, "validate_fields": 0}), cells, tmp_path / "first")
    config = _config(init=str(first), network={**CONFIG["network"], **network}, rate=rate)
    with pytest.raises(CytopressError, match=r"cells\.cytomodel"):
        _train(config, cells, tmp_path / "out")
    assert not list(tmp_path.glob("out/*"))


def test_a_task_moves_the_weights_and_stands_in_the_package(
    cells: Settings, tmp_path: Path
) -> None:
    fit = {"steps": 2, "validate_fields": 0}
    one = _train(_config(fit), cells, tmp_path / "one")
    two = _train(_config(fit, task=TASK), cells, tmp_path / "two")
    assert _weights(one) != _weights(two)
    assert _weights(one).keys() == _weights(two).keys()
    (shipped,) = (
        found for found in SHIPPED.glob("*.cytomodel") if found.stem == "labelfree-scratch-assay"
    )
    manifest = open_package(two).manifest
    assert manifest["task"] == {"name": TASK["name"], "sha256": open_package(shipped).sha256}
    assert manifest["training"]["task"]["weight"] == 50
    assert "task" not in open_package(one).manifest
    assert "frozen `labelfree/scratch-assay`" in (tmp_path / "two" / "card.md").read_text()


def test_missing_task(cells: Settings, tmp_path: Path) -> None:
    config = _config(task={"name": "labelfree/none"})
    with pytest.raises(UsageError, match="no task package named 'labelfree/none'"):
        _train(config, cells, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_start(cells: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no codec package named 'learned/none'"):
        _train(_config(init="learned/none"), cells, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_crop_larger_than_every_field(cells: Settings, tmp_path: Path) -> None:
    with (
        pytest.warns(CytopressWarning, match="smaller than the crop"),
        pytest.raises(DatasetError, match="crops of 128 x 128"),
    ):
        _train(_config({"crop": 128}), cells, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_file_is_named(cells: Settings, tmp_path: Path, value: float) -> None:
    assert cells.data is not None
    pixels = np.full((80, 96), value, np.float32)
    tifffile.imwrite(cells.data / "cells" / "1_input.tif", pixels)
    with pytest.raises(DatasetError, match=r"1_input|f1"):
        _train(_config(), cells, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_compressai_without_gains_takes_no_range(cells: Settings, tmp_path: Path) -> None:
    """It would be trained at every lambda and code at one."""
    with pytest.raises((CytopressError, ValueError), match="takes lambdas"):
        _train(_config(**{**COMPRESSAI, "rate": CONFIG["rate"]}), cells, tmp_path / "out")
