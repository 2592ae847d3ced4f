import numpy as np
import pytest

from cytopress.image import Image
from cytopress.metrics.noise import fit_noise
from cytopress.phantom.camera import Camera


def _levels(least: float, most: float) -> np.ndarray:
    """Light that rises in steps across a field, flat within each."""
    steps = np.linspace(least, most, 16)
    return np.repeat(np.repeat(steps[None], 512, axis=0), 32, axis=1)


@pytest.mark.parametrize("camera", [Camera(), Camera(gain=0.5, offset=200.0, read_noise=6.0)])
def test_the_noise_is_what_was_planted(camera: Camera) -> None:
    light = _levels(20, 2000)
    images = [
        Image(camera.expose(light, np.random.default_rng(seed)), bits=camera.bits)
        for seed in range(3)
    ]
    fit = fit_noise(images)
    assert fit.good, fit.reason
    for electrons in (100, 500, 1500):
        planted = camera.gain**2 * (electrons + camera.read_noise**2) + 1 / 12
        found = fit.model.variance(camera.gain * electrons + camera.offset)
        assert float(found) == pytest.approx(planted, rel=0.1)
    assert fit.model.a == pytest.approx(camera.gain, rel=0.1)


def test_the_mean_is_the_light() -> None:
    camera = Camera()
    found = camera.expose(np.full((400, 400), 50.0), np.random.default_rng(1)).mean()
    assert found == pytest.approx(50 * camera.gain + camera.offset, rel=0.002)


def test_pixels_saturate_at_the_significant_bits() -> None:
    camera = Camera(bits=12)
    pixels = camera.expose(np.full((4, 4), 1e6), np.random.default_rng(0))
    assert pixels.dtype == np.uint16
    assert (pixels == 4095).all()
