"""Every architecture of CompressAI trains by the contract and goes into a package."""

from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.learned.compressai.architectures import ARCHITECTURES, mono
from cytopress.errors import PackageError, UsageError
from cytopress.models.model_package import open_package
from fakes import compressai_networks as fakes

pytestmark = pytest.mark.learn
NAMES = [architecture.name for architecture in ARCHITECTURES]


def _two_steps(network):
    import torch

    main = torch.optim.Adam(network.main_parameters(), 1e-3)
    aux = torch.optim.Adam(network.aux_parameters(), 1e-3)
    x = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    for _ in range(2):
        main.zero_grad()
        coded = network(x, torch.tensor([0.0, 1.0]))
        error = (coded.x_hat - x).square().mean()
        (coded.bits.sum() / x.numel() + 0.01 * 255**2 * error).backward()
        main.step()
        aux.zero_grad()
        network.aux_loss().backward()
        aux.step()
    return coded


@pytest.mark.parametrize("name", NAMES)
def test_it_trains(name: str):
    import torch

    network = fakes.network(name)
    before = {key: value.detach().clone() for key, value in network.named_parameters()}
    coded = _two_steps(network)
    assert coded.x_hat.shape == (2, 1, 64, 64)
    assert coded.bits.shape == (2,)
    assert (coded.bits > 0).all()
    after = dict(network.named_parameters())
    assert all(torch.isfinite(value).all() for value in after.values())
    for part in ("g_a", "g_s", "quantiles"):
        changed = [key for key in before if part in key and not before[key].equal(after[key])]
        assert changed, part
    assert network.training
    assert network.model.training


@pytest.mark.parametrize("name", NAMES)
def test_one_channel_takes_the_place_of_three(name: str):
    import torch
    from compressai.registry import MODELS

    network = fakes.network(name)
    small = network.model.state_dict()
    full = MODELS[network.name](**network.options).state_dict()
    assert small.keys() == full.keys()
    other = {key for key in small if small[key].shape != full[key].shape}
    assert other
    assert all(key.startswith(("g_a.0.", "g_s.")) for key in other)
    x = torch.rand(1, 1, 64, 64)
    assert network(x, torch.ones(1), hard=True).x_hat.shape == x.shape


def test_parameters_are_split_without_rest():
    network = fakes.network("elic2022-official")
    main, aux = list(network.main_parameters()), list(network.aux_parameters())
    assert len(main) + len(aux) == len(list(network.parameters()))
    assert not {id(value) for value in main} & {id(value) for value in aux}
    assert [tuple(value.shape) for value in aux] == [(8, 1, 3)]


def test_hard_repeats_itself_and_noise_does_not():
    import torch

    network = fakes.network("mbt2018-mean")
    x, q = torch.rand(1, 1, 64, 64), torch.ones(1)
    assert network(x, q, hard=True).bits.equal(network(x, q, hard=True).bits)
    assert not network(x, q).bits.equal(network(x, q).bits)


def test_each_image_of_a_batch_has_its_own_quality():
    import torch

    network = fakes.network("mbt2018-mean-vbr")
    x = torch.rand(1, 1, 64, 64).expand(3, -1, -1, -1)
    together = network(x, torch.tensor([0.9, 0.0, 0.45]), hard=True)
    for row, quality in enumerate((0.9, 0.0, 0.45)):
        alone = network(x[:1], torch.tensor([quality]), hard=True)
        torch.testing.assert_close(together.bits[row], alone.bits[0])
        torch.testing.assert_close(together.x_hat[row], alone.x_hat[0])
    assert together.bits[0] > together.bits[2] > together.bits[1]


def test_a_checkpoint_loads_after_tables_were_made():
    network, fresh = fakes.network("mbt2018-mean"), fakes.network("mbt2018-mean", seed=9)
    assert network.state_arrays()["entropy_bottleneck._quantized_cdf"].size
    fresh.load_state_dict(network.state_dict())
    assert fresh.model.g_a[0].weight.equal(network.model.g_a[0].weight)


def test_a_package_holds_what_was_trained_and_starts_another(tmp_path: Path):
    package = fakes.package(tmp_path / "a.cytomodel", "elic2022-chandelier", rates=2)
    manifest = open_package(package.path).manifest
    assert manifest["architecture"] == "compressai/elic2022-chandelier"
    assert (manifest["rates"], manifest["gains"]) == (2, 0)
    assert manifest["model"] == {"channels": 1, "N": 8, "M": 12, "groups": [1, 1, 1, 2, 7]}
    second = fakes.network("elic2022-chandelier", seed=1)
    np.testing.assert_array_equal(
        package.array("r1/state/g_a.0.weight"), second.model.g_a[0].weight.detach().numpy()
    )
    other = fakes.network("elic2022-chandelier", seed=5)
    other.load_package(package, rate=1)
    for name, value in second.named_parameters():
        assert dict(other.named_parameters())[name].equal(value), name
    with pytest.raises(PackageError, match="mbt2018-mean"):
        fakes.network("mbt2018-mean").load_package(package)


def test_requests_that_make_no_sense(tmp_path: Path):
    from cytopress.training.codec.compressai_network import write_compressai_package

    with pytest.raises(UsageError, match="mbt2018-mean"):
        fakes.network("mbt2019")
    with pytest.raises(UsageError, match="needs M"):
        mono("mbt2018", N=8)
    with pytest.raises(UsageError, match="sum up to M"):
        mono("elic2022-official", N=8, M=12, groups=[6, 7])
    pair = [fakes.network("mbt2018"), fakes.network("mbt2018", N=9)]
    with pytest.raises(UsageError, match="one architecture"):
        write_compressai_package(tmp_path / "a.cytomodel", pair, {"name": "learned/x"})
    pair = [fakes.network("mbt2018-vbr")] * 2
    with pytest.raises(UsageError, match="every rate"):
        write_compressai_package(tmp_path / "a.cytomodel", pair, {"name": "learned/x"})
    assert not list(tmp_path.iterdir())
