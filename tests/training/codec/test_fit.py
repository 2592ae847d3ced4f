"""Fitting: steps whose loss is not finite, and exact resuming from a checkpoint of any step."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytopress.errors import CytopressError, Stopped

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
    """A network of one weight, which fails at some of its calls, and does more before others."""

    pad = 64

    def __init__(
        self, fails: tuple[int, ...] = (), before: dict[int, Callable[[], None]] | None = None
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))
        self.quantiles = nn.Parameter(torch.tensor(1.0))
        self.fails, self.before, self.calls = fails, before or {}, 0

    def __deepcopy__(self, memo: Any) -> Scaled:
        copied = Scaled()
        copied.load_state_dict(self.state_dict())
        return copied

    def forward(self, x: Any, quality: Any, *, center: Any = None, hard: bool = False) -> Coded:
        self.calls += 1
        self.before.get(self.calls, lambda: None)()
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


def _die() -> None:
    raise BrokenPipeError


def _signalled(number: signal.Signals) -> Callable[[], None]:
    return lambda: signal.raise_signal(number)


def _same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """What decides the package and the log is equal to the last bit."""
    for key in ("steps_done", "history"):
        assert one[key] == other[key]
    for name, value in other["state_dict"].items():
        assert torch.equal(one["state_dict"][name], value), name


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save before every step, as the clock does after minutes."""
    monkeypatch.setattr("cytopress.training.rounds.SAVE_EVERY_S", -1.0)


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize(
    "after", [(1,), (4,), (5,), (7,), (2, 1, 2, 1), (1,) * 7, (4, 1, 2), (3, 1, 1)], ids=str
)
def test_died_at_any_step_and_resumed_equals_uninterrupted(
    tmp_path: Path, after: tuple[int, ...]
) -> None:
    """Rounds have three steps, the last one two; each time it dies so many steps later."""
    options: dict[str, Any] = {"validate_every": 3, "learning_rate": 0.01}
    whole = _fit(tmp_path / "whole.ckpt", Scaled(), **options)
    path, done = tmp_path / "a.ckpt", 0
    for steps in after:
        done += steps
        dying = Scaled(before={steps + 1: _die})
        with pytest.raises(BrokenPipeError):
            _fit(path, dying, **options)
        assert torch.load(path, weights_only=True)["steps_done"] == done
    last = Scaled()
    resumed = _fit(path, last, **options)
    assert last.calls == STEPS - done
    assert [row["step"] for row in resumed["history"]] == [3, 6, 8]
    _same(resumed, whole)


def test_between_the_times_of_the_clock_a_round_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    with pytest.raises(BrokenPipeError):
        _fit(path, Scaled(before={7: _die}))
    assert torch.load(path, weights_only=True)["steps_done"] == 4
    _same(_fit(path, Scaled()), _fit(tmp_path / "whole.ckpt", Scaled()))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Take Ctrl-C, which a shell's background jobs ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", [1, 3, 4, 6])
def test_a_signal_stops_after_its_step_and_keeps_it(
    tmp_path: Path, number: signal.Signals, step: int
) -> None:
    path, handler = tmp_path / "a.ckpt", signal.getsignal(signal.SIGINT)
    with pytest.raises(Stopped, match=f"after {step} of 8 steps; run the same command") as caught:
        _fit(path, Scaled(before={step: _signalled(number)}))
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(signal.SIGINT) is handler
    last = Scaled()
    resumed = _fit(path, last)
    assert last.calls == STEPS - step
    _same(resumed, _fit(tmp_path / "whole.ckpt", Scaled()))


@pytest.mark.usefixtures("interruptible")
def test_a_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    stopped = Scaled(before={6: twice})
    with pytest.raises(Stopped, match="after 4 of 8 steps") as caught:
        _fit(tmp_path / "a.ckpt", stopped)
    assert caught.value.exit_code == 130
    assert torch.load(tmp_path / "a.ckpt", weights_only=True)["steps_done"] == 4


def test_a_checkpoint_of_an_earlier_version_resumes(tmp_path: Path) -> None:
    """They were written after rounds alone, and held nothing of a round."""
    path = tmp_path / "a.ckpt"
    with pytest.raises(BrokenPipeError):
        _fit(path, Scaled(before={5: _die}))
    earlier = torch.load(path, weights_only=True)
    assert earlier.pop("round") == []
    torch.save(earlier, path)
    _same(_fit(path, Scaled()), _fit(tmp_path / "whole.ckpt", Scaled()))
