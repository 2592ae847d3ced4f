"""What a training starts from: its seed, or a package's weights, the same to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cytopress.errors import PackageError
from cytopress.settings import Settings
from fakes import learned_networks as fakes

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
pytestmark = pytest.mark.learn
FORM = {
    "latent_channels": 6,
    "hyper_channels": 5,
    "hyper_width": 4,
    "context_channels": 2,
    "context_width": 3,
    "analysis": (4, 4),
    "synthesis": (4, 4),
}


def _begun(folder: Path, **changes: Any) -> list[Any]:
    from cytopress.training.codec.config import CodecTraining
    from cytopress.training.codec.start import begin

    table = {
        "kind": "codec",
        "name": "learned/b",
        "network": {"architecture": "mean-scale", **FORM},
        "rate": {"gains": 3, "lambda_range": [0.001, 0.1]},
        "fit": {"steps": 1},
        "sources": [{"dataset": "a"}],
        **changes,
    }
    settings = Settings(None, (), folder, folder).with_models(folder)
    return begin(CodecTraining.model_validate(table), settings)


def _write(folder: Path, *networks: Any) -> Path:
    from cytopress.training.codec.export import write_codec_package

    path = folder / "a.cytomodel"
    write_codec_package(path, networks, {"name": "learned/a"})
    return path


@pytest.mark.parametrize("architecture", fakes.ARCHITECTURES)
def test_every_weight_of_the_package(tmp_path: Path, architecture: str) -> None:
    given = fakes.network(architecture)
    path = _write(tmp_path, given)
    around = {"hyper_context": 3, "rotations": 2} if architecture == "context" else {}
    network = {"architecture": architecture, **FORM, **around}
    for init in ("learned/a", str(path)):
        (begun,) = _begun(tmp_path, init=init, network=network)
        for name, weight in given.named_parameters():
            stored = weight.half().float() if weight.numel() >= 1024 else weight
            found = dict(begun.named_parameters())[name]
            assert torch.equal(found, stored), name
            assert found.requires_grad


def test_wider_transforms_begin_as_what_the_narrower_were(tmp_path: Path) -> None:
    given = fakes.network()
    _write(tmp_path, given)
    wide = {"architecture": "mean-scale", **FORM, "analysis": (7, 6), "synthesis": (5, 8)}
    (same,) = _begun(tmp_path, init="learned/a", network={"architecture": "mean-scale", **FORM})
    (begun,) = _begun(tmp_path, init="learned/a", network=wide)
    x, y_hat = torch.rand(2, 1, 64, 64), torch.randn(2, FORM["latent_channels"], 8, 8)
    torch.testing.assert_close(begun.g_a(x), same.g_a(x))
    torch.testing.assert_close(begun.g_s(y_hat), same.g_s(y_hat))
    # The new channels are not dead: what comes after them learns from the first step.
    begun.g_s(y_hat).square().sum().backward()
    assert begun.g_s.network[-2].weight.grad[:, 4:].abs().max() > 0
    with pytest.raises(PackageError, match="another size"):
        _begun(tmp_path, init="learned/a", network={**wide, "synthesis": (3, 8)})


def test_each_rate_starts_from_its_own_and_more_from_the_last(tmp_path: Path) -> None:
    given = [fakes.network(lambdas=[value]) for value in (0.01, 0.1)]
    with torch.no_grad():
        given[1].log_level.add_(1)
    _write(tmp_path, *given)
    begun = _begun(tmp_path, init="learned/a", rate={"lambdas": [0.01, 0.1, 0.2]})
    for network, source in zip(begun, (given[0], given[1], given[1]), strict=True):
        assert torch.equal(network.log_gain, source.log_gain)


def test_the_seed_decides_whatever_was_drawn_before(tmp_path: Path) -> None:
    states = []
    for seed in (1, 1, 2):
        torch.rand(3)
        (network,) = _begun(tmp_path, seed=seed)
        states.append(network.state_dict()["g_a.network.1.weight"])
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate": {"lambdas": [0.1]}}, "another size"),
        ({"network": {"architecture": "hyperprior", **FORM}}, "another form"),
        ({"network": {"architecture": "mean-scale", **FORM, "hyper_width": 5}}, "another size"),
    ],
)
def test_another_network_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = _write(tmp_path, fakes.network())
    with pytest.raises(PackageError, match=said) as caught:
        _begun(tmp_path, init="learned/a", **changes)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_hyper_latents_that_spread_farthest_and_a_context_that_is_new(tmp_path: Path) -> None:
    given = fakes.network("context", hyper_context=0, rotations=0)
    with torch.no_grad():
        quantiles = given.prior.bottleneck.quantiles.view(3, 5, 3)
        quantiles[..., 0], quantiles[..., 2] = -10, 10
        # In the sum over the nodes these two are narrow.
        quantiles[:2, 1, 2], quantiles[:, 3, 0] = 0, -1
    path = _write(tmp_path, given)
    new = {"hyper_channels": 3, "hyper_context": 4, "rotations": 3}
    network = {"architecture": "context", **FORM, **new}
    (begun,) = _begun(tmp_path, init="learned/a", network=network)
    kept = [0, 2, 4]
    held = dict(given.named_parameters())
    for name, weight in begun.named_parameters():
        if name.startswith("hyper_context."):
            assert weight.shape[0] in {2, 3, 4}
            assert name.endswith("hidden.weight") or not weight.any()
            continue
        if name.startswith("context.turned."):
            # As far from each other as they begin, and none likelier than another.
            assert weight.any() == name.endswith("skew")
            continue
        source = held[name]
        if name == "h_s.first.weight":
            source = source[:, kept]
        elif name.startswith("h_a.layers.4."):
            source = source[kept]
        elif name.startswith("prior."):
            source = source.view(3, 5, *source.shape[1:])[:, kept].flatten(0, 1)
        torch.testing.assert_close(weight, source, rtol=2**-10, atol=2e-7, msg=name)
    _write(tmp_path, fakes.network("context", rotations=0))
    with pytest.raises(PackageError, match=r"of another form \(it has hyper_context") as caught:
        _begun(tmp_path, init="learned/a", network={"architecture": "context", **FORM})
    assert str(path) in str(caught.value)


def test_gains_that_were_free_follow_one_profile_again() -> None:
    from cytopress.training.codec.start import _with_one_profile

    random = torch.Generator().manual_seed(5)
    level = torch.linspace(-1, 5, 7)
    profile = 0.2 * torch.randn(24, generator=random)
    restored = -1 + 0.1 * torch.randn(24, generator=random)
    scale = torch.linspace(2, 3, 7)[:, None] + torch.randn(24, generator=random)
    gain = level[:, None] + profile
    off = torch.zeros(7, 24, dtype=torch.bool)
    # At the coarsest rate all channels but the lowest few were switched off, then fewer.
    off[0, 5:], off[1, 12:], off[2, 20:] = True, True, True
    state = {
        "log_gain": torch.where(off, gain - 3, gain),
        "log_inverse": torch.where(off, restored - gain - 4, restored - gain),
        "log_scale": torch.where(off, scale - 2, scale),
        "prior.weight": torch.ones(3),
    }
    found = _with_one_profile(state)
    assert found.keys() == {*state, "log_level", "log_profile", "log_restored"} - {
        "log_gain",
        "log_inverse",
    }
    tied = found["log_level"][:, None] + found["log_profile"]
    torch.testing.assert_close(tied, gain, atol=0.2, rtol=0)
    torch.testing.assert_close(found["log_restored"], restored, atol=1e-5, rtol=0)
    torch.testing.assert_close(found["log_scale"], scale, atol=1e-4, rtol=0)
    assert found["prior.weight"] is state["prior.weight"]
