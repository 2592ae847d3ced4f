from __future__ import annotations

import numpy as np
import pytest

from cytopress.errors import NotAvailableError
from cytopress.metrics import metric
from cytopress.metrics.frc_resolution_z import cone_correlation

SHAPE = (32, 48, 40)


def white(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 100, shape)


def low_pass(volume: np.ndarray, *, along_z: float = 1.0, in_plane: float = 1.0) -> np.ndarray:
    """Nothing of the volume beyond these cycles per voxel along z and in the plane."""
    z, y, x = np.meshgrid(*(np.fft.fftfreq(n) for n in volume.shape), indexing="ij")
    kept = (abs(z) <= along_z) & (np.hypot(y, x) <= in_plane)
    return np.fft.ifftn(np.where(kept, np.fft.fftn(volume), 0)).real


def value(reference: np.ndarray, test: np.ndarray, name: str = "frc_resolution_z") -> float:
    return metric(name)(reference.astype(np.float32), test.astype(np.float32), 1.0)


@pytest.mark.parametrize("cutoff", [0.125, 0.25, 0.375])
def test_blur_along_z_gives_its_cutoff_and_leaves_the_plane(cutoff: float) -> None:
    volume = white(0)
    # Noise where the detail was, as a decoder leaves it; else the window's leakage would agree.
    test = low_pass(volume, along_z=cutoff) + 0.05 * white(1)
    assert value(volume, test) == pytest.approx(cutoff, abs=2.5 / SHAPE[0])
    assert value(volume, test, "frc_resolution") == 0.5


def test_blur_in_the_plane_is_no_blur_along_z() -> None:
    """Of the cone at kz the part below the cutoff is left: its share of the radius, cutoff / kz."""
    shape = (32, 96, 96)
    volume = white(0, shape)
    test = low_pass(volume, in_plane=0.2) + 0.05 * white(1, shape)
    frequencies, correlations = cone_correlation(volume, test)
    at = np.array([7, 11, 15])  # well above the cutoff
    assert correlations[at] == pytest.approx(0.2 / frequencies[at], abs=0.06)
    assert correlations[:5].min() > 0.95
    assert value(volume, test) == 0.5
    assert value(volume, test, "frc_resolution") == pytest.approx(0.2, abs=2.5 / 96)


def test_the_cone_is_that_of_the_whole_spectrum() -> None:
    x, y = white(0), white(0) + white(1)
    windows = [np.hanning(n + 1)[:-1] for n in SHAPE]
    window = np.einsum("z,y,x->zyx", *windows)
    f, g = (np.fft.fftn((image - image.mean()) * window) for image in (x, y))
    kz, ky, kx = np.meshgrid(*(np.fft.fftfreq(n) for n in SHAPE), indexing="ij")
    frequencies, correlations = cone_correlation(x, y)
    for index in (1, 5, 16):
        on = np.isclose(abs(kz), index / 32) & (np.hypot(ky, kx) <= abs(kz))
        power = np.sum(abs(f[on]) ** 2) * np.sum(abs(g[on]) ** 2)
        expected = np.sum((f[on] * g[on].conj()).real) / np.sqrt(power)
        assert frequencies[index - 1] == index / 32
        assert correlations[index - 1] == pytest.approx(expected, abs=1e-9)


def test_white_noise_of_equal_power_gives_what_theory_says() -> None:
    shape = (32, 96, 96)
    _, correlations = cone_correlation(white(0, shape), white(0, shape) + white(1, shape))
    assert correlations[4:].mean() == pytest.approx(np.sqrt(0.5), abs=0.02)


def test_equal_constant_and_unrelated_volumes() -> None:
    flat = np.full(SHAPE, 40000.0)
    assert value(white(0), white(0)) == 0.5
    assert value(flat, flat) == 0.5
    large = (32, 128, 128)  # the first frequencies of small volumes can agree by chance
    assert value(white(0, large), white(1, large)) < 2 / 32


@pytest.mark.parametrize("shape", [(15, 32, 32), (32, 15, 32), (32, 32)])
def test_thin_volumes_and_planes_have_none(shape: tuple[int, ...]) -> None:
    image = np.zeros(shape, np.uint16)
    with pytest.raises(NotAvailableError, match="frc_resolution_z needs"):
        metric("frc_resolution_z")(image, image, 1.0)
