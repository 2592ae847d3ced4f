"""The stabilized domain, against the codec that codes in it; the scale that lambda keeps."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytestmark = pytest.mark.learn

from cytopress.codecs.adapters import anscombe_jpegxl  # noqa: E402
from cytopress.training.codec.config import Loss  # noqa: E402
from cytopress.training.codec.crops import Batch  # noqa: E402
from cytopress.training.codec.distortion import distortion, stabilized  # noqa: E402


def _batch(x, a: float, b: float, offset: float):  # type: ignore[no-untyped-def]
    def every(value: float):  # type: ignore[no-untyped-def]
        return torch.full((len(x),), value)

    plane = torch.zeros(len(x), dtype=torch.int64)
    return Batch(
        x, every(0), every(1), every(1), every(0.5), every(a), every(b), every(offset), plane
    )


@pytest.mark.parametrize("a", [0.0, 1e-7, 1e-4, 1e-2])
def test_stabilized_as_the_classic_codec_does(a: float) -> None:
    x = torch.linspace(-0.5, 1.5, 200).reshape(2, 1, 10, 10)
    found = stabilized(x, _batch(x, a, 1e-4, 0.1))
    wanted = anscombe_jpegxl.stabilized(x.double().numpy(), a, 1e-4, float(np.float32(0.1)))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-4)


def test_noise_is_one_at_every_level() -> None:
    """Made noise, measured: the deviation after the transform is 1 whatever the light."""
    a, b = 1e-3, 1e-4
    random = np.random.default_rng(1)
    for light in (0.05, 0.3, 0.9):
        noisy = a * random.poisson(light / a, 40_000) + random.normal(0, b**0.5, 40_000)
        x = torch.tensor(noisy, dtype=torch.float32).reshape(1, 1, 200, 200)
        assert float(stabilized(x, _batch(x, a, b, 0.0)).std()) == pytest.approx(1, rel=0.02)


def test_equal_noise_everywhere_is_the_raw_domain() -> None:
    """With nothing to stabilize, a lambda means the same in both domains."""
    x = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    x_hat = x + 0.01
    batch = _batch(x, 0.0, 1e-4, 0.0)
    raw = distortion(x, x_hat, batch, Loss())
    torch.testing.assert_close(raw, torch.full((3,), 255**2 * 0.01**2), rtol=1e-4, atol=0)
    other = distortion(x, x_hat, batch, Loss(domain="stabilized"))
    torch.testing.assert_close(other, raw, rtol=1e-3, atol=0)


@pytest.mark.parametrize("domain", ["raw", "stabilized"])
def test_ms_ssim_falls_with_the_error(domain: str) -> None:
    x = torch.rand(1, 1, 128, 128, generator=torch.Generator().manual_seed(1))
    batch, options = _batch(x, 1e-3, 1e-4, 0.0), Loss(distortion="ms-ssim", domain=domain)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    none, little, much = (
        float(distortion(x, x + size * noise, batch, options)) for size in (0, 0.02, 0.3)
    )
    assert none == pytest.approx(0, abs=1e-5)
    assert none < little < much <= 1
