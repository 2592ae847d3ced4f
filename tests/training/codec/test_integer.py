"""The integer form of the entropy model: near the trained one, and the same numbers everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from cytopress.codecs.learned.entropy.range_coder import RangeEncoder
from cytopress.codecs.learned.latents.hyper_synthesis import HyperSynthesis
from cytopress.codecs.learned.model.load import open_model
from fakes import learned_networks as fakes
from fakes import passes_by_torch as by_torch
from fakes.learned_packages import decode_latents

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
pytestmark = pytest.mark.learn
Array = npt.NDArray[Any]
QUALITIES = (0.0, 0.37, 1.0)
TOTAL = 2**24


def _exported(path: Path, architecture: str = "mean-scale"):  # type: ignore[no-untyped-def]
    """Return a network, its package and that opened as a model."""
    from cytopress.training.codec.export import write_codec_package

    network = fakes.network(architecture)
    package = write_codec_package(path / "a.cytomodel", [network], {"name": "learned/a"})
    return network, package, open_model(package)


def _by_torch(package):  # type: ignore[no-untyped-def]
    """Return torch's own convolutions as a function of hyper-latents, (N, Nz, h, w), in float64."""
    layers = [
        (
            *(
                torch.from_numpy(package.array(f"r0/hs.{layer['index']}.{part}")).double()
                for part in ("weight", "bias")
            ),
            layer,
        )
        for layer in package.manifest["hyper_synthesis"]
    ]

    def run(z_hat: Array) -> Array:
        a = 256 * torch.from_numpy(z_hat).double().clamp(-4096, 4096)
        for weight, bias, layer in layers:
            a = torch.nn.functional.conv2d(a, weight, bias, padding=weight.shape[2] // 2)
            if layer["shift"]:
                a = torch.floor((a + 2 ** (layer["shift"] - 1)) / 2 ** layer["shift"])
            if layer["relu"]:
                a = torch.relu(a)
            if layer["upsample"] > 1:
                a = torch.nn.functional.pixel_shuffle(a, layer["upsample"])
            a = a.clamp(-(2**20), 2**20)
        return a.numpy()

    return run


def _hyper_latents(count: int, height: int, width: int, seed: int) -> Array:
    """Return hyper-latents of every size, from all zero to beyond what is clipped."""
    random = np.random.default_rng(seed)
    scale = 2.0 ** random.uniform(-2, 14, (count, 1, 1, 1))
    return np.rint(random.standard_normal((count, 5, height, width)) * scale).astype(np.int64)


def _check_exact(folder: Path, architecture: str, count: int) -> None:
    _, package, model = _exported(folder, architecture)
    by_torch = _by_torch(package)
    for seed, (height, width) in enumerate([(1, 1), (2, 3), (5, 4), (1, 7)]):
        z_hat = _hyper_latents(count // 4, height, width, seed)
        for start in range(0, len(z_hat), 8):
            part = z_hat[start : start + 8]
            for one, expected in zip(part, by_torch(part), strict=True):
                np.testing.assert_array_equal(model.coder.h_s(one), expected)


@pytest.mark.parametrize("architecture", ["hyperprior", "mean-scale"])
def test_exported_hyper_synthesis_equals_torch_bit_for_bit(
    tmp_path: Path, architecture: str
) -> None:
    _check_exact(tmp_path, architecture, 160)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["hyperprior", "mean-scale"])
def test_ten_thousand_hyper_latents_equal_torch_bit_for_bit(
    tmp_path: Path, architecture: str
) -> None:
    _check_exact(tmp_path, architecture, 10_000)


def test_threads_batches_and_regions_change_no_number(tmp_path: Path) -> None:
    threadpool_limits = pytest.importorskip("threadpoolctl").threadpool_limits
    _, package, model = _exported(tmp_path)
    by_torch = _by_torch(package)
    z_hat = _hyper_latents(8, 9, 7, 3)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(by_torch(z_hat))
            found.append(np.concatenate([by_torch(one[None]) for one in z_hat]))
            for size in (2, 5, 64):
                h_s = HyperSynthesis(model.coder.h_s.layers, size=size)
                with threadpool_limits(threads):
                    found.append(np.stack([h_s(one) for one in z_hat]))
    finally:
        torch.set_num_threads(before)
    assert len(np.unique(found[0])) > 1000
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_integers_are_near_the_floats_that_were_trained(tmp_path: Path) -> None:
    network, _, model = _exported(tmp_path)
    z_hat = np.random.default_rng(0).integers(-9, 10, (5, 6, 6))
    with torch.no_grad():
        quality = torch.tensor([0.37])
        mean, log_scale, _ = network.moments(torch.from_numpy(z_hat).float()[None], quality)
    found = model.coder.h_s(z_hat).astype(float) / 256
    assert mean.std() > 1
    np.testing.assert_allclose(found[:6], mean[0], atol=0.02)
    index = found[6:] + model.setting(0.37).scale_bias / 256
    # 56 tables from 2 ** -4 to 2 ** 8.
    np.testing.assert_allclose(index * 12 / 55 - 4, log_scale[0], atol=0.02)


def _check_latents(folder: Path, architecture: str, count: int) -> None:
    """Code latents by what torch says of them; the runtime must read the very same ones."""
    _, package, model = _exported(folder, architecture)
    random = np.random.default_rng(5)
    bias, inverse = (package.array(f"r0/{name}") for name in ("scale_bias", "inverse_gain"))
    z_hats = _hyper_latents(count, 1, 2, 7) // 16
    tables: set[int] = set()
    for z_hat, out in zip(z_hats, _by_torch(package)(z_hats), strict=True):
        node = int(random.integers(3))
        coarse = np.repeat(np.arange(5 * node, 5 * node + 5, dtype=np.uint8), 2)
        mean = out[:6] / 256 if len(out) == 12 else np.zeros((6, 4, 8))
        rows = np.clip((out[-6:] + bias[node][:, None, None] + 128) // 256, 0, 55).astype(np.uint8)
        symbols = np.rint(random.standard_normal(mean.shape) * 2.0 ** random.uniform(-2, 9))
        coder = RangeEncoder()
        coder.encode(z_hat.ravel(), coarse, model.coder.prior)
        coder.encode(symbols.ravel().astype(np.int64), rows.ravel(), model.coder.scales)
        setting = model.setting(node / 2)
        found = decode_latents(model, coder.bytes(), (32, 64), setting)
        factor = np.exp2(inverse[node])[:, None, None]
        np.testing.assert_allclose(found, (symbols + mean) * factor, rtol=1e-6)
        exact = (symbols + mean) * 256
        np.testing.assert_array_equal(np.rint(found / setting.inverse_gain * 256), exact)
        tables |= set(np.unique(rows).tolist())
    assert len(tables) > 20


@pytest.mark.parametrize("architecture", ["hyperprior", "mean-scale"])
def test_latents_coded_by_torch_decode_in_the_runtime(tmp_path: Path, architecture: str) -> None:
    _check_latents(tmp_path, architecture, 600)


@pytest.mark.slow
def test_ten_thousand_latents_coded_by_torch_decode_in_the_runtime(tmp_path: Path) -> None:
    _check_latents(tmp_path, "mean-scale", 10_000)


@pytest.mark.parametrize(
    "count", [200, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.slow])]
)
def test_contexts_equal_torch_bit_for_bit(tmp_path: Path, count: int) -> None:
    _, package, model = _exported(tmp_path, "context")
    random = np.random.default_rng(6)
    tables: set[int] = set()
    for seed, (height, width) in enumerate([(1, 1), (2, 3)]):
        for z_hat in _hyper_latents(count // 2, height, width, seed) // 16:
            scale = 2.0 ** random.uniform(-2, 12)
            symbols = np.rint(random.standard_normal((6, 4 * height, 4 * width)) * scale)
            quality = float(random.integers(3)) / 2
            rows = by_torch.check(package, model, z_hat, symbols.astype(np.int64), quality)
            tables |= set(np.unique(rows).tolist())
    assert len(tables) > 20


def test_scale_tables_are_normal_distributions() -> None:
    from cytopress.training.codec.integer import scale_tables

    tables = scale_tables()
    for row, sigma in enumerate(2 ** np.linspace(-4, 8, 56)):
        size = tables.size[row]
        counts = np.diff(tables.cdf[row, : size + 1].astype(np.int64))
        values = np.arange(size - 1) + tables.offset[row]
        normal = stats.norm(scale=sigma)
        expected = normal.cdf(values + 0.5) - normal.cdf(values - 0.5)
        assert counts.min() >= 1
        assert counts.sum() == TOTAL
        # Each symbol is there at least once, and what rounding leaves goes to the likeliest.
        np.testing.assert_allclose(counts[:-1] / TOTAL, expected, atol=2 * size / TOTAL)
        np.testing.assert_array_equal(counts[:-1], counts[-2::-1])
        # Escapes are rare.
        assert counts[-1] / TOTAL < 1e-4


def test_scale_bias_counts_tables_from_the_narrowest() -> None:
    from cytopress.training.codec.integer import scale_bias

    found = scale_bias(torch.tensor([[-4.0, 8.0, 2.0]]))
    np.testing.assert_array_equal(found, [[0, 55 * 256, round(27.5 * 256)]])
    assert found.dtype == np.int32


def test_prior_tables_are_as_wide_as_the_prior() -> None:
    from cytopress.training.codec.entropy import Prior
    from cytopress.training.codec.integer import prior_tables

    torch.manual_seed(4)
    prior = Prior(2)
    with torch.no_grad():
        # A larger first factor narrows the first channel, a smaller one widens the second.
        prior.bottleneck.matrices[0].add_(torch.tensor([4.0, -2.0])[:, None, None])
        tables = prior_tables(prior)
    wide = int(tables.cdf[1, tables.size[1]] - tables.cdf[1, tables.size[1] - 1])
    assert tables.size[0] < 50
    assert tables.size[1] > 600
    assert wide / TOTAL < 1e-3


def test_prior_tables_cost_what_the_prior_says() -> None:
    from cytopress.training.codec.entropy import Prior
    from cytopress.training.codec.integer import prior_tables

    torch.manual_seed(4)
    prior = Prior(5)
    with torch.no_grad():
        for name, weight in prior.named_parameters():
            if not name.endswith("quantiles"):
                weight.add_(0.3 * torch.randn_like(weight))
        tables = prior_tables(prior)
        for row in range(5):
            size = int(tables.size[row])
            counts = np.diff(tables.cdf[row, : size + 1].astype(np.int64))
            assert counts.min() >= 1
            assert counts.sum() == TOTAL
            values = np.arange(size - 1) + tables.offset[row]
            asked = torch.zeros(size - 1, 5, 1, 1)
            asked[:, row, 0, 0] = torch.from_numpy(values)
            bits = prior(asked, torch.zeros(size - 1), hard=True)[1][:, row, 0, 0].numpy()
            assert bits[values == 0] == pytest.approx(_bits_of_zero(prior, row), abs=1e-3)
            probability = counts[:-1] / TOTAL
            excess = np.sum(probability * (-np.log2(probability) - bits))
            assert abs(excess) < 1e-3
            # What is left out is rare.
            assert 0 <= counts[-1] / TOTAL < 1e-3


def _bits_of_zero(prior, row: int) -> float:  # type: ignore[no-untyped-def]
    """Return what a zero costs in one channel, by CompressAI's cumulative in float64."""
    logits = [
        prior.bottleneck._logits_cumulative(torch.full((5, 1, 1), edge), stop_gradient=True)[
            row, 0, 0
        ].item()
        for edge in (-0.5, 0.5)
    ]
    low, high = (1 / (1 + np.exp(-each)) for each in logits)
    return float(-np.log2(high - low))
