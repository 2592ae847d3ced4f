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


def _nearest(residual, _):  # type: ignore[no-untyped-def]
    return torch.round(residual)


def _squared(residual, _):  # type: ignore[no-untyped-def]
    return torch.round(residual).square()


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
        for weight in network.prior.parameters():
            # Of equal priors a finer rate costs more.
            weight.copy_(weight[: len(weight) // 3].repeat(3, 1, 1))
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


def test_priors_are_of_the_nearest_node_and_of_compressai() -> None:
    """Bits of each node by CompressAI's own likelihood, of that node's channels alone."""
    network = fakes.network("factorized")
    bottleneck = network.prior.bottleneck
    values = torch.randint(-9, 10, (5, 6, 4, 3)).float()
    quality = torch.tensor([0.0, 0.24, 0.26, 0.74, 0.76])
    with torch.no_grad():
        _, bits = network.prior(values, quality, hard=True)
        for image, node in enumerate((0, 0, 1, 1, 2)):
            whole = torch.zeros(18, 1, 12)
            whole[6 * node : 6 * node + 6, 0] = values[image].flatten(1)
            likelihood, _, _ = bottleneck._likelihood(whole)
            expected = -torch.log2(likelihood[6 * node : 6 * node + 6]).sum()
            assert float(bits[image].sum()) == pytest.approx(float(expected), rel=1e-4)


def test_the_context_begins_as_nothing() -> None:
    from cytopress.training.codec.context import ContextModel

    context = ContextModel(6, 2, 3, rotations=0)
    y, mean, log_scale = torch.randn(3, 2, 6, 4, 8).unbind()
    features = torch.randn(2, 6, 4, 8)
    found = context(y, mean, log_scale, features, _nearest, _squared)
    assert torch.equal(found.residual, y - mean)
    assert torch.equal(found.log_scale, log_scale)
    assert torch.equal(found.chosen, torch.round(y - mean))
    assert not found.bits.any()


def test_no_latent_knows_of_itself_or_of_what_comes_later() -> None:
    """Changing a latent changes what is said of later ones around it, and of nothing else."""
    network = fakes.network("context", rotations=0)
    y, mean, scale = torch.zeros(3, 1, 6, 8, 8).unbind()
    features = torch.rand(1, 6, 8, 8)

    def moments(y):  # type: ignore[no-untyped-def]
        with torch.no_grad():
            found = network.context(y, mean, scale, features, _nearest, _squared)
        return torch.stack((y - found.residual, found.log_scale))

    plain = moments(y)
    for channel, row, column in ((0, 3, 3), (1, 4, 3), (5, 3, 3)):
        changed = y.clone()
        changed[0, channel, row, column] = 7.0
        touched = (moments(changed) != plain).any(0)[0]
        expected = torch.zeros_like(touched)
        if channel < 2:
            expected[2:, row - 1 : row + 2, column - 1 : column + 2] = True
            if (row + column) % 2 == 0:
                for y_, x_ in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                    expected[:2, row + y_, column + x_] = True
                    # What is said of a black square changes where it lies, and with it the rest.
                    around = (
                        slice(row + y_ - 1, row + y_ + 2),
                        slice(column + x_ - 1, column + x_ + 2),
                    )
                    expected[2:, *around] = True
        assert not (touched & ~expected).any()
        assert touched.any() == (channel < 2)
        assert not touched[channel, row, column]


def test_hyper_latents_know_those_of_the_turns_before() -> None:
    """By the places of one that is changed, and of what is said of all others then."""
    network = fakes.network("context")
    node = torch.tensor([1])

    def said(z):  # type: ignore[no-untyped-def]
        with torch.no_grad():
            found = network.hyper_context(z, node)
        return torch.stack((found.mean, found.log_scale))

    z = 9 * torch.randn(1, 5, 8, 9)
    plain = said(z)
    for row, column in ((2, 4), (3, 5), (3, 4), (4, 3)):
        changed = z.clone()
        changed[0, :, row, column] += 7.0
        touched = (said(changed) != plain).any(0)[0].any(0)
        expected = torch.zeros(8, 9, dtype=bool)
        corner = (row % 2, column % 2) == (0, 0)
        diagonal = (row % 2, column % 2) == (1, 1)
        if corner:
            for down, right in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
                expected[row + down, column + right] = True
                # They are decoded around other means then, and tell of what is beside them.
                for y, x in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                    expected[row + down + y, column + right + x] = True
        if corner or diagonal:
            for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                expected[row + down, column + right] = True
        assert not (touched & ~expected).any()
        assert touched.any() == (corner or diagonal)


def test_the_context_of_hyper_latents_begins_as_nothing() -> None:
    from cytopress.training.codec.hyper_context import HyperContext

    z = 5 * torch.randn(2, 4, 5, 6)
    found = HyperContext(4, 3, 2)(z, torch.tensor([0, 1]))
    assert torch.equal(found.z_hat, torch.round(z))
    assert not found.mean.any()
    assert not found.log_scale.any()
    rows, columns = torch.meshgrid(torch.arange(5), torch.arange(6), indexing="ij")
    assert torch.equal(found.by_prior, (rows % 2 == 0) & (columns % 2 == 0))


def test_context_counts_as_the_runtime_does() -> None:
    from cytopress.codecs.learned.latents import context_model as runtime
    from cytopress.training.codec import context as training

    plane = np.random.default_rng(3).normal(0, 40, (3, 4, 6)).round()
    whole = torch.from_numpy(plane)[None]
    black = training.black_squares(4, 6)
    white = runtime.squares(plane, black=False)
    known = training.neighbors(whole * ~black)[0].numpy()
    np.testing.assert_array_equal(runtime.squares(known, black=True), runtime.neighbors(white))
    logs = training.signed_log(whole)[0].numpy()
    np.testing.assert_allclose(runtime.signed_log(256 * plane) / 256, logs, atol=1 / 256)


def test_gaussian_bits() -> None:
    from cytopress.training.codec.gaussian import gaussian_bits

    residual = np.array([-7.0, -1, 0, 0, 1, 3, 400])
    log_scale = np.array([2.0, -1, -9, 0, 0.3, 11, 7])
    sigma = 2 ** np.clip(log_scale, -4, 8)
    half = stats.norm.cdf(-(np.abs(residual) - 0.5) / sigma)
    expected = -np.log2(half - stats.norm.cdf(-(np.abs(residual) + 0.5) / sigma))
    given = (torch.from_numpy(each) for each in (residual, log_scale))
    np.testing.assert_allclose(gaussian_bits(*given), expected, rtol=1e-9)


def test_gaussian_bits_are_derived_as_they_change() -> None:
    from cytopress.training.codec.gaussian import gaussian_bits

    torch.manual_seed(2)
    scale = (8 * torch.rand(60, dtype=torch.float64) - 3).requires_grad_()
    residual = (torch.randn(60, dtype=torch.float64) * torch.exp2(scale.detach())).requires_grad_()
    assert torch.autograd.gradcheck(gaussian_bits, (residual, scale))
    # Outside its bounds a scale has no slope, but below the lower one where that leads back.
    outside = torch.tensor([-5.0, -5.0, 9.0], requires_grad=True)
    gaussian_bits(torch.tensor([0.0, 0.6, 3.0]), outside).sum().backward()
    assert outside.grad.sign().tolist() == [0, -1, 0]


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
    # Four hyper-latents, so that some have neighbors.
    x = _fields(4, 64)
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
