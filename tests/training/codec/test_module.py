"""One step of a training, against formulas; what a step draws depends on the seed and it alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

from torch import nn  # noqa: E402

from cytopress.errors import UsageError  # noqa: E402
from cytopress.training.codec import fit as fitting  # noqa: E402
from cytopress.training.codec import module as modules  # noqa: E402
from cytopress.training.codec.coded import Coded  # noqa: E402
from cytopress.training.codec.config import CodecTraining, Task  # noqa: E402
from cytopress.training.codec.module import Judges  # noqa: E402
from cytopress.training.codec.sources import Plane, Source  # noqa: E402

LOW, HIGH = 0.001, 0.1


class Recorder(nn.Module):
    """A network of two weights that notes what it is given; its bits fall with one of them."""

    pad = 64

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))
        self.shade = nn.Parameter(torch.tensor(0.9))
        self.quantiles = nn.Parameter(torch.tensor(1.0))
        self.seen: list[dict[str, Any]] = []

    def forward(self, x: Any, quality: Any, *, center: Any = None, hard: bool = False) -> Coded:
        made = Coded(x * self.shade, 4096.0 * 10 * self.weight * (1 + quality))
        self.seen.append(
            {
                "quality": quality.tolist(),
                "center": center.tolist(),
                "noise": torch.rand(3).tolist(),
                "bits": made.bits.detach().numpy(),
                "mean": x.mean((1, 2, 3)).tolist(),
                "error": (x - made.x_hat).square().mean((1, 2, 3)).detach().numpy(),
                "weight": self.weight.item(),
            }
        )
        return made

    def main_parameters(self) -> list[nn.Parameter]:
        return [self.weight, self.shade]

    def aux_parameters(self) -> list[nn.Parameter]:
        return [self.quantiles]

    def aux_loss(self) -> Any:
        return self.quantiles.abs()


def _fit(path: Path, network: Recorder, *, balance: float = 0.3, **options: Any) -> dict[str, Any]:
    source = Source("made", "Made", "CC0-1.0", "a test", 1.0)
    pixels = np.random.default_rng(1).random((80, 96), np.float32)
    plane = Plane(pixels, 0.0, 1.0, 1.0, None, "a", "a", "input", source)
    progress, judges = options.pop("progress", None), options.pop("judges", None)
    form = options.pop("form", {"architecture": "mean-scale"})
    rate = {"gains": 3, "lambda_range": [LOW, HIGH], **options.pop("rate", {})}
    fit = {"steps": 6, "batch": 3, "crop": 64, "validate_every": 2, "threads": 1, **options}
    config = CodecTraining.model_validate(
        {
            "kind": "codec",
            "name": "learned/a",
            "network": form,
            "rate": rate,
            "loss": {"balance": balance},
            **({"task": judges.task.options.model_dump()} if judges else {}),
            "fit": fit,
            "sources": [{"dataset": "made"}],
        }
    )
    nodes = config.rate.nodes
    return fitting.fit(config, network, nodes, [plane], path, judges=judges, progress=progress)


@pytest.mark.parametrize("balance", [0.0, 0.45, 1.0])
def test_loss(tmp_path: Path, balance: float) -> None:
    network = Recorder()
    (row,) = _fit(tmp_path / "a.ckpt", network, balance=balance, steps=1)["history"]
    (seen,) = network.seen
    quality = np.array(seen["quality"])
    weight = LOW * (HIGH / LOW) ** quality
    bpp = seen["bits"] / 64**2
    losses = (weight / HIGH) ** -balance * (bpp + weight * 255**2 * seen["error"])
    assert len(set(quality)) == 3
    assert row["loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert row["bpp"] == pytest.approx(bpp.mean(), rel=1e-5)
    assert row["psnr"] == pytest.approx(-10 * np.log10(seen["error"].mean()), rel=1e-5)
    assert row["step"] == 1
    # The center is the whole plane's, as it was changed with the crop.
    assert np.abs(np.array(seen["center"]) - 0.5).max() < 0.2


def test_coarse_qualities_are_drawn_more_often(tmp_path: Path) -> None:
    shares = []
    for exponent in (1.0, 2.0):
        network = Recorder()
        _fit(tmp_path / f"{exponent}.ckpt", network, steps=100, rate={"prefer_coarse": exponent})
        drawn = np.concatenate([seen["quality"] for seen in network.seen])
        assert drawn.min() >= 0
        assert drawn.max() <= 1
        shares.append((drawn < 0.25).mean())
    # The square of a number below a half is below a quarter.
    assert shares[0] == pytest.approx(0.25, abs=0.08)
    assert shares[1] == pytest.approx(0.5, abs=0.09)


class Shade:
    """A task that loses the square of how dark x_hat has become."""

    sha256 = "abc"

    def __init__(self) -> None:
        self.options = Task(name="labelfree/a", weight=7.0, pixels=0.25)
        self.measured = 0

    def measure(self, batches: Any) -> None:
        self.measured = sum(len(batch.pixels) for batch in batches)

    def lost(self, x: Any, x_hat: Any, batch: Any) -> Any:
        assert len(batch.plane) == len(x)
        return (x_hat - x).mean((1, 2, 3)).square()


def test_loss_through_a_task(tmp_path: Path) -> None:
    network, task = Recorder(), Shade()
    judges: Any = Judges(task=task)  # type: ignore[arg-type]
    (row,) = _fit(tmp_path / "a.ckpt", network, balance=0.0, steps=1, judges=judges)["history"]
    (seen,) = network.seen
    lost = (0.1 * np.array(seen["mean"])) ** 2
    weight = LOW * (HIGH / LOW) ** np.array(seen["quality"])
    distortion = 0.25 * 255**2 * seen["error"] + 7.0 * lost
    assert row["loss"] == pytest.approx(
        (seen["bits"] / 64**2 + weight * distortion).mean(), rel=1e-5
    )
    assert row["task_lost"] == pytest.approx(lost.mean(), rel=1e-4)
    assert task.measured >= 64
    assert "task_lost" not in _fit(tmp_path / "b.ckpt", Recorder(), steps=1)["history"][0]


def test_another_digest_of_the_task_is_another_training(tmp_path: Path) -> None:
    task = Shade()
    judges: Any = Judges(task=task)  # type: ignore[arg-type]
    _fit(tmp_path / "a.ckpt", Recorder(), judges=judges)
    _fit(tmp_path / "a.ckpt", Recorder(), judges=judges)
    task.sha256 = "abd"
    with pytest.raises(UsageError, match="another config"):
        _fit(tmp_path / "a.ckpt", Recorder(), judges=judges)


@pytest.mark.parametrize("steps", [7, 130])
def test_learning_rate_rises_then_falls_along_a_cosine(tmp_path: Path, steps: int) -> None:
    network = Recorder()
    # Bits alone: a gradient that is clipped to one value makes every step of Adam its rate long.
    network.shade.requires_grad = False
    _fit(tmp_path / "a.ckpt", network, steps=steps, learning_rate=1e-3, clip=1e-3, batch=1)
    weights = np.array([each["weight"] for each in network.seen])
    done = np.arange(steps - 1)
    rise = np.minimum(1, (done + 1) / min(100, steps))
    expected = 1e-3 * rise * (1 + np.cos(np.pi * done / steps)) / 2
    np.testing.assert_allclose(-np.diff(weights), expected, rtol=0.02, atol=2e-7)


@pytest.mark.parametrize("average", [0.0, 0.3, 0.999])
def test_average_of_weights(tmp_path: Path, average: float) -> None:
    network = Recorder()
    found = _fit(tmp_path / "a.ckpt", network, average=average, learning_rate=0.01)
    last = float(found["state_dict"]["network.weight"])
    weights = [*(each["weight"] for each in network.seen[1:]), last]
    expected = 1.0
    for done, weight in enumerate(weights, start=1):
        keep = min(average, (done + 1) / (done + 10))
        expected = keep * expected + (1 - keep) * weight
    assert float(found["state_dict"]["averaged.weight"]) == pytest.approx(expected, rel=1e-6)
    assert last < 0.999


def _stopped(rounds: int) -> Callable[..., None]:
    calls: list[int] = []

    def progress(done: int, *_: Any) -> None:
        calls.append(done)
        if len(calls) == rounds:
            raise InterruptedError

    return progress


@pytest.mark.parametrize("rounds", [1, 2])
def test_resumed_draws_and_weighs_as_uninterrupted(tmp_path: Path, rounds: int) -> None:
    straight, first, second = Recorder(), Recorder(), Recorder()
    whole = _fit(tmp_path / "whole.ckpt", straight)
    with pytest.raises(InterruptedError):
        _fit(tmp_path / "a.ckpt", first, progress=_stopped(rounds))
    torch.rand(5)
    resumed = _fit(tmp_path / "a.ckpt", second)
    assert len(first.seen) == 2 * rounds
    drawn = [
        [{key: each[key] for key in ("quality", "center", "noise", "weight")} for each in seen]
        for seen in (first.seen + second.seen, straight.seen)
    ]
    assert drawn[0] == drawn[1]
    assert resumed["history"] == whole["history"]
    for name, value in whole["state_dict"].items():
        assert torch.equal(resumed["state_dict"][name], value), name


def test_the_quantiles_follow_now_and_then(tmp_path: Path) -> None:
    found = _fit(tmp_path / "a.ckpt", Recorder(), steps=21)
    # Three steps, at 0, 10 and 20, of Adam at 0.01.
    assert float(found["state_dict"]["network.quantiles"]) == pytest.approx(0.97, abs=1e-4)


def test_the_last_steps_are_rounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounded: list[int] = []

    def forward(network: Recorder, *inputs: Any, **options: Any) -> Coded:
        rounded.append(len(network.seen))
        return network(*inputs, **options)

    monkeypatch.setattr(modules, "rounded_forward", forward)
    network = Recorder()
    form = {"architecture": "context", "transform": "separable", "analysis": [4], "synthesis": [4]}
    _fit(tmp_path / "a.ckpt", network, form=form, integer_steps=2)
    # Of the 6 steps, after as many passes.
    assert rounded == [4, 5]
    assert len(network.seen) == 6
