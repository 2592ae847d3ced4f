from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import convolve
from skimage.metrics import structural_similarity

from cytopress.errors import NotAvailableError
from cytopress.image import Pixels
from cytopress.metrics import metric
from cytopress.metrics import ssim as ssim_module
from cytopress.reuse import Reuse, reusing


def direct_ssim(x: np.ndarray, y: np.ndarray, data_range: float) -> float:
    """Wang 2004 written out: a window of 11 taps, moments where it fits."""
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    taps /= taps.sum()
    window = taps
    for _ in range(x.ndim - 1):
        window = np.multiply.outer(window, taps)

    def local(values: np.ndarray) -> np.ndarray:
        return convolve(values, window, mode="valid", method="direct")

    x, y = x.astype(np.float64), y.astype(np.float64)
    m, n = local(x), local(y)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    covariance, vx, vy = local(x * y) - m * n, local(x * x) - m * m, local(y * y) - n * n
    similarity = (2 * m * n + c1) * (2 * covariance + c2)
    similarity /= (m**2 + n**2 + c1) * (vx + vy + c2)
    return float(similarity.mean())


def test_as_wrote_out(reference, test_image, data_range) -> None:
    expected = direct_ssim(reference[:60, :70], test_image[:60, :70], data_range)
    value = metric("ssim")(reference[:60, :70], test_image[:60, :70], data_range)
    assert value == pytest.approx(expected, abs=1e-9)
    assert 0.1 < value < 0.95


def test_stack_has_a_window_in_three_dimensions() -> None:
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 4000, (12, 16, 14)).astype(np.uint16)
    test = (reference + rng.integers(0, 800, reference.shape)).astype(np.uint16)
    value = metric("ssim")(reference, test, 4000)
    assert value == pytest.approx(direct_ssim(reference, test, 4000), abs=1e-9)


def test_camera_offset_in_float32_costs_no_precision() -> None:
    rng = np.random.default_rng(0)
    reference = (32768 + rng.integers(0, 50, (40, 40))).astype(np.float32)
    test = (reference + rng.integers(0, 10, reference.shape)).astype(np.float32)
    value = metric("ssim")(reference, test, 50)
    assert value == pytest.approx(direct_ssim(reference, test, 50), abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (10, 200), (3, 64, 64)])
def test_image_smaller_than_the_window_is_refused(shape: tuple[int, ...]) -> None:
    image = np.zeros(shape, np.uint16)
    with pytest.raises(NotAvailableError, match="at least 11 pixels"):
        metric("ssim")(image, image, 100)


@pytest.mark.learn
def test_as_in_torchmetrics(reference, test_image, data_range) -> None:
    torch = pytest.importorskip("torch")
    from torchmetrics.functional.image import structural_similarity_index_measure

    tensors = [
        torch.from_numpy(image.astype(np.float64))[None, None] for image in (reference, test_image)
    ]
    _, similarity = structural_similarity_index_measure(
        *tensors, sigma=1.5, data_range=data_range, return_full_image=True
    )
    # It keeps the border, where its window sees mirrored pixels.
    expected = float(similarity[0, 0, 5:-5, 5:-5].mean())
    assert metric("ssim")(reference, test_image, data_range) == pytest.approx(expected, abs=1e-9)


def test_it_is_scikit_images_to_the_last_bit_and_shares_what_it_can(
    reference: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    filtered: list[int] = []
    honest = ssim_module._local
    monkeypatch.setattr(ssim_module, "_local", lambda x: filtered.append(1) or honest(x))
    x, results = reference, Reuse()
    for seed in range(3):
        y = x + np.random.default_rng(seed).integers(0, 9, x.shape).astype(x.dtype)
        expected = structural_similarity(
            x.astype(float), y.astype(float), data_range=900, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )  # fmt: skip
        with reusing(results):
            assert ssim_module.similarity(x, y, 900) == expected
            assert ssim_module.similarity(x, y, 900, luminance=False) > expected
        assert ssim_module.similarity(x, y, 900) == expected
    # With the results kept 2 moments of the original once and 3 of each other image, else 5.
    assert len(filtered) == 2 + 3 * 3 + 3 * 5
