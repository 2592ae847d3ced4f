"""Steps whose loss is not finite change nothing and are counted; too many are an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytopress.errors import CytopressError

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("lightning", reason="needs Lightning (extra learn)")
pytestmark = pytest.mark.learn

from torch import nn  # noqa: E402

from cytopress.training.codec import fit as fitting  # noqa: E402
from cytopress.training.codec.coded import Coded  # noqa: E402
from cytopress.training.codec.config import CodecTraining  # noqa: E402
from cytopress.training.codec.sources import Plane, Source  # noqa: E402

STEPS = 8


class Scaled(nn.Module):
    """A network of one weight, which fails at some of its calls."""

    pad = 64

    def __init__(self, fails: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))
        self.quantiles = nn.Parameter(torch.tensor(1.0))
        self.fails, self.calls = fails, 0

    def forward(self, x: Any, quality: Any, *, center: Any = None, hard: bool = False) -> Coded:
        self.calls += 1
        factor = float("nan") if self.calls in self.fails else 1.0
        return Coded(x * self.weight * factor, self.weight.abs().expand(len(x)))

    def main_parameters(self) -> list[nn.Parameter]:
        return [self.weight]

    def aux_parameters(self) -> list[nn.Parameter]:
        return [self.quantiles]

    def aux_loss(self) -> Any:
        return self.quantiles.square()


def _fit(path: Path, network: Scaled, **options: Any) -> dict[str, Any]:
    source = Source("made", "Made", "CC0-1.0", "a test", 1.0)
    pixels = np.random.default_rng(1).random((64, 64), np.float32)
    plane = Plane(pixels, 0.0, 1.0, 1.0, None, "a", "a", "input", source)
    fit = {"steps": STEPS, "batch": 2, "crop": 64, "validate_every": 4, "threads": 1, **options}
    config = CodecTraining.model_validate(
        {
            "kind": "codec",
            "name": "learned/a",
            "network": {"architecture": "mean-scale"},
            "rate": {"lambdas": [0.1]},
            "fit": fit,
            "sources": [{"dataset": "made"}],
        }
    )
    return fitting.fit(config, network, [0.1], [plane], path)


def test_a_step_that_is_not_finite_is_skipped_and_counted(tmp_path: Path) -> None:
    found = _fit(tmp_path / "a.ckpt", Scaled(fails=(2, 3)))
    assert found["steps_done"] == STEPS
    assert [row["step"] for row in found["history"]] == [4, 8]
    assert [row["skipped"] for row in found["history"]] == [2, 2]
    assert np.isfinite([row["loss"] for row in found["history"]]).all()
    # It moved toward 1, where the image comes back whole, in the others.
    assert 0.5 < float(found["state_dict"]["network.weight"]) < 1
    assert 0.5 < float(found["state_dict"]["averaged.weight"]) < 1


def test_a_round_of_nothing_but_skipped_steps(tmp_path: Path) -> None:
    found = _fit(tmp_path / "a.ckpt", Scaled(fails=(1, 2, 3, 4)))
    assert [row["step"] for row in found["history"]] == [8]


def test_too_many_skipped_steps_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cytopress.training.codec.module.MOST_SKIPPED", 3)
    with pytest.raises(CytopressError, match="lower the learning rate"):
        _fit(tmp_path / "a.ckpt", Scaled(fails=tuple(range(1, STEPS + 1))))


def test_one_step_is_clipped_to_the_learning_rate_of_adam(tmp_path: Path) -> None:
    found = _fit(tmp_path / "a.ckpt", Scaled(), steps=1, learning_rate=0.01)
    assert float(found["state_dict"]["network.weight"]) == pytest.approx(0.51, abs=1e-4)


def test_a_finished_training_is_not_run_again(tmp_path: Path) -> None:
    _fit(tmp_path / "a.ckpt", Scaled())
    again = Scaled()
    assert _fit(tmp_path / "a.ckpt", again)["steps_done"] == STEPS
    assert again.calls == 0
