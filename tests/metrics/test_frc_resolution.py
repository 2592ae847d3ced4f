from __future__ import annotations

import numpy as np
import pytest

from cytopress.errors import NotAvailableError
from cytopress.metrics import frc_resolution as frc_module
from cytopress.metrics import metric
from cytopress.metrics.frc_resolution import frc_resolution, ring_correlation
from cytopress.reuse import Reuse, reusing


def white(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 100, shape)


def band_limited(image: np.ndarray, cutoff: float) -> np.ndarray:
    """Nothing of the image beyond ``cutoff`` cycles per pixel of its last two axes."""
    spectrum = np.fft.fft2(image)
    frequency = np.hypot(
        np.fft.fftfreq(image.shape[-2])[:, None], np.fft.fftfreq(image.shape[-1])[None]
    )
    return np.fft.ifft2(np.where(frequency <= cutoff, spectrum, 0)).real


@pytest.mark.parametrize("cutoff", [0.08, 0.2, 0.35])
@pytest.mark.parametrize("shape", [(256, 256), (200, 301), (3, 128, 128)])
def test_low_pass_gives_its_cutoff(cutoff: float, shape: tuple[int, ...]) -> None:
    image = white(0, shape)
    # Noise where the detail was, as a decoder leaves it; else the window's leakage would agree.
    test = band_limited(image, cutoff) + 0.05 * white(1, shape)
    value = metric("frc_resolution")(image.astype(np.float32), test.astype(np.float32), 1.0)
    assert value == pytest.approx(cutoff, abs=2.5 / min(shape[-2:]))


def test_correlation_of_signal_and_signal_with_noise_is_as_theory_says() -> None:
    """White noise of equal power added: 1 / sqrt(1 + 1) on every ring."""
    image = white(0, (512, 512))
    _, correlation = ring_correlation(image, image + white(1, (512, 512)))
    assert correlation[20:].mean() == pytest.approx(np.sqrt(0.5), abs=0.01)


def test_rings_are_those_of_the_full_spectrum(reference, test_image) -> None:
    """The half spectrum of a real image must weigh as the whole one."""
    for width in (232, 231):
        x, y = (image[:, :width].astype(np.float64) for image in (reference, test_image))
        window = np.hanning(201)[:-1, None] * np.hanning(width + 1)[None, :-1]
        f, g = (np.fft.fft2((image - image.mean()) * window) for image in (x, y))
        rings = np.rint(200 * np.hypot(np.fft.fftfreq(200)[:, None], np.fft.fftfreq(width)))
        frequencies, correlations = ring_correlation(x, y)
        for ring in (1, 2, 37, 100):
            on = rings == ring
            power = np.sum(abs(f[on]) ** 2) * np.sum(abs(g[on]) ** 2)
            expected = np.sum(f[on] * g[on].conj()).real / np.sqrt(power)
            assert frequencies[ring - 1] == pytest.approx(ring / 200)
            assert correlations[ring - 1] == pytest.approx(expected, abs=1e-9)


def test_crossing_is_interpolated_between_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    from cytopress.metrics import frc_resolution as module

    curve = np.array([0.1, 0.2, 0.3, 0.4]), np.array([1.0, 3 / 7, 0.0, 1.0])
    monkeypatch.setattr(module, "ring_correlation", lambda reference, test: curve)
    image = np.zeros((16, 16), np.uint8)
    assert module.frc_resolution(image, image) == pytest.approx(0.2 + 0.1 * 2 / 3)


def test_equal_images_share_everything(reference) -> None:
    assert metric("frc_resolution")(reference, reference, 1.0) == 0.5


def test_constant_images_are_equal() -> None:
    flat = np.full((40, 30), 40000, np.uint16)
    assert metric("frc_resolution")(flat, flat, 1.0) == 0.5


def test_only_the_mean_survives(reference) -> None:
    flat = np.full_like(reference, round(float(reference.mean())))
    assert metric("frc_resolution")(reference, flat, 1.0) < 1 / 200


def test_unrelated_images_share_nothing() -> None:
    images = (white(seed, (128, 128)).astype(np.float32) for seed in (0, 1))
    assert metric("frc_resolution")(*images, 1.0) < 0.03


def test_small_images_are_refused() -> None:
    image = np.zeros((15, 100), np.uint8)
    with pytest.raises(NotAvailableError, match="at least 16 pixels"):
        metric("frc_resolution")(image, image, 1.0)


def test_the_originals_spectrum_is_computed_once_in_a_study(
    reference, test_image, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    honest = frc_module._spectrum
    monkeypatch.setattr(frc_module, "_spectrum", lambda plane: made.append(1) or honest(plane))
    alone = frc_resolution(reference, test_image)
    made.clear()
    with reusing(Reuse()):
        assert [frc_resolution(reference, test_image) for _ in range(3)] == [alone] * 3
    # That of each decoded image, and of the original once.
    assert len(made) == 4
