"""The networks of ours: what they begin as, what they estimate and what they learn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft, stats

from fakes import learned_networks as fakes

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
pytestmark = pytest.mark.learn
every_architecture = pytest.mark.parametrize("architecture", fakes.ARCHITECTURES)


def _fields(count: int, side: int = 32):  # type: ignore[no-untyped-def]
    return torch.from_numpy(np.stack([fakes.field(side, side, n) for n in range(count)])[:, None])


@pytest.mark.parametrize("stride", [8, 16])
def test_transforms_begin_as_cosines_of_blocks(stride: int) -> None:
    from cytopress.training.codec.transforms import Analysis, Synthesis

    widths = (4, 4) if stride == 8 else (4, 4, 4)
    analysis = Analysis(stride**2, widths, stride)
    synthesis = Synthesis(stride**2, widths, stride)
    plane = fakes.field(2 * stride, 3 * stride)
    with torch.no_grad():
        x = torch.from_numpy(plane)[None, None]
        y = analysis.linear(x)
        back = synthesis.linear(y)
    blocks = plane.reshape(2, stride, 3, stride).transpose(0, 2, 1, 3)
    expected = fft.dctn(blocks, axes=(2, 3), norm="ortho")
    order = sorted(np.ndindex(stride, stride), key=lambda f: (f[0] ** 2 + f[1] ** 2, f))
    for channel, (down, across) in enumerate(order):
        np.testing.assert_allclose(y[0, channel], expected[..., down, across], atol=1e-5)
    np.testing.assert_allclose(back, x, atol=1e-5)


@every_architecture
@pytest.mark.parametrize("stride", [8, 16])
def test_shapes(architecture: str, stride: int) -> None:
    widths = (4, 4) if stride == 8 else (4, 4, 4)
    network = fakes.network(architecture, stride=stride, analysis=widths, synthesis=widths)
    assert network.pad == (stride if architecture == "factorized" else 4 * stride)
    x = torch.rand(2, 1, network.pad, 3 * network.pad)
    for hard in (False, True):
        coded = network(x, torch.tensor([0.0, 1.0]), hard=hard)
        assert coded.x_hat.shape == x.shape
        assert coded.bits.shape == (2,)
        assert torch.isfinite(coded.x_hat).all()


@every_architecture
def test_more_quality_costs_more_and_errs_less(architecture: str) -> None:
    network = fakes.network(architecture, latent_channels=64)
    x = _fields(1).repeat(5, 1, 1, 1)
    with torch.no_grad():
        if architecture != "factorized":
            # Means and scales at random would say nothing of the image.
            network.h_s.last.weight.zero_()
            network.h_s.last.bias.zero_()
            network.begin(x)
        coded = network(x, torch.linspace(0, 1, 5), hard=True)
    error = (coded.x_hat - x).square().mean((1, 2, 3))
    assert (error.diff() < 0).all()
    assert (coded.bits.diff() > 0).all()


@every_architecture
def test_hard_is_the_same_twice_and_alone(architecture: str) -> None:
    network = fakes.network(architecture)
    x, quality = _fields(3), torch.tensor([0.0, 0.4, 1.0])
    with torch.no_grad():
        one, two = (network(x, quality, hard=True) for _ in range(2))
        alone = network(x[1:2], quality[1:2], hard=True)
    assert torch.equal(one.x_hat, two.x_hat)
    assert torch.equal(one.bits, two.bits)
    np.testing.assert_allclose(alone.x_hat[0], one.x_hat[1], atol=1e-4)
    np.testing.assert_allclose(alone.bits[0], one.bits[1], rtol=1e-3)


def test_brightness_goes_around_the_network() -> None:
    """The mean is coded beside the latents, so that an offset costs nothing."""
    network = fakes.network()
    x, quality = _fields(2), torch.tensor([0.2, 0.9])
    with torch.no_grad():
        low, high = (network(each, quality, hard=True) for each in (x, x + 4))
        told = network(x, quality, center=x.mean((1, 2, 3)), hard=True)
    np.testing.assert_allclose(high.x_hat, low.x_hat + 4, atol=2e-3)
    np.testing.assert_allclose(high.bits, low.bits, rtol=1e-2)
    assert torch.equal(told.x_hat, low.x_hat)


def test_tables_are_interpolated_between_the_nodes() -> None:
    network = fakes.network()
    table = torch.randn(3, 6)
    quality = np.array([0.0, 0.2, 0.5, 0.73, 1.0, 1.4, -1.0])
    with torch.no_grad():
        found = network.at(table, torch.from_numpy(quality).float())[:, :, 0, 0]
    for channel in range(6):
        expected = np.interp(2 * quality, [0, 1, 2], table[:, channel])
        np.testing.assert_allclose(found[:, channel], expected, atol=1e-6)
    assert fakes.network(lambdas=[0.1]).at(table[:1], torch.zeros(2)).shape == (1, 6, 1, 1)


def test_scales_begin_as_what_the_transform_gives() -> None:
    network = fakes.network(latent_channels=9)
    x = _fields(4)
    with torch.no_grad():
        network.begin(x)
        y = network.g_a.linear(x - x.mean((1, 2, 3), keepdim=True))
        for node in range(3):
            steps = y * torch.exp2(network.log_gain[node])[None, :, None, None]
            expected = steps.square().mean((0, 2, 3)).sqrt()
            np.testing.assert_allclose(2 ** network.log_scale[node], expected, rtol=1e-4)


def test_gaussian_bits() -> None:
    from cytopress.training.codec.entropy import GaussianBits

    residual = np.array([[-7.0, -1, 0, 0, 1, 3, 400]])
    log_scale = np.array([[2.0, -1, -9, 0, 0.3, 11, 7]])
    sigma = 2 ** np.clip(log_scale, -4, 8)
    half = stats.norm.cdf(-(np.abs(residual) - 0.5) / sigma)
    expected = -np.log2(half - stats.norm.cdf(-(np.abs(residual) + 0.5) / sigma))
    given = (torch.from_numpy(each) for each in (residual, log_scale))
    np.testing.assert_allclose(GaussianBits()(*given), expected.sum(1), rtol=1e-9)


def test_symbols_are_the_cheaper_of_two() -> None:
    network = fakes.network()
    # Within five deviations, where float32 still tells probabilities apart.
    residual = 3.4 * torch.rand(500) - 1.7
    log_scale = 2.5 * torch.rand(500) - 1.5
    assert torch.equal(network._choose(residual, log_scale), torch.round(residual))
    network.rdo = 7.0
    chosen = network._choose(residual, log_scale)
    nearest = torch.round(residual)
    assert 20 < (chosen != nearest).sum() < 400

    def cost(symbols):  # type: ignore[no-untyped-def]
        sigma = 2 ** log_scale.double()
        normal = torch.special.ndtr
        likelihood = normal((0.5 - symbols.abs()) / sigma) - normal((-0.5 - symbols.abs()) / sigma)
        return -torch.log2(likelihood.clamp_min(1e-9)) + 7 * (residual - symbols).square()

    lower = nearest - torch.sign(nearest)
    expected = torch.minimum(cost(nearest), cost(lower))
    np.testing.assert_allclose(cost(chosen), expected, atol=1e-4)


@every_architecture
@pytest.mark.parametrize("rdo", [0.0, 8.0])
def test_everything_learns(architecture: str, rdo: float) -> None:
    network = fakes.network(architecture)
    network.rdo = rdo
    main, aux = list(network.main_parameters()), list(network.aux_parameters())
    ids = {id(weight) for weight in network.parameters()}
    assert {id(w) for w in main} | {id(w) for w in aux} == ids
    assert len(main) + len(aux) == len(ids)
    torch.manual_seed(0)
    x = _fields(4)
    coded = network(x, torch.rand(4))
    (coded.bits.sum() / x.numel() + 1000 * (coded.x_hat - x).square().mean()).backward()
    names = {id(weight): name for name, weight in network.named_parameters()}
    for weight in main:
        assert weight.grad is not None, names[id(weight)]
        assert weight.grad.abs().max() > 0, names[id(weight)]
    assert all(weight.grad is None for weight in aux)
    network.aux_loss().backward()
    assert all(weight.grad.abs().max() > 0 for weight in aux)


@every_architecture
def test_half_precision_is_near_and_its_bits_are_whole(architecture: str) -> None:
    network = fakes.network(architecture)
    x, quality = _fields(2), torch.tensor([0.0, 0.5])
    with torch.no_grad():
        exact = network(x, quality, hard=True)
        network.autocast = True
        near = network(x, quality, hard=True)
    assert near.bits.dtype == near.x_hat.dtype == torch.float32
    assert not torch.equal(near.x_hat, exact.x_hat)
    np.testing.assert_allclose(near.bits, exact.bits, rtol=0.05)
    assert (near.x_hat - exact.x_hat).square().mean() < 0.02 * x.var()
