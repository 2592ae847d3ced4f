"""Whole volumes: what is promised of them."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from cytopress.metrics.noise import fit_noise
from cytopress.phantom.camera import Camera
from cytopress.phantom.optics import Microscope, fluorescence
from cytopress.phantom.simulate import PhantomVolume, deepened, simulate
from cytopress.phantom.slides import SLIDES

pytest.importorskip("waveorder", reason="needs waveorder (extra phantom)")
SHAPE = (20, 96, 96)
DIGEST = """
import hashlib, sys, torch
torch.set_num_threads(int(sys.argv[1]))
from cytopress.phantom.simulate import simulate
from cytopress.phantom.slides import SLIDES
volume = simulate(SLIDES[1], 1, shape=(6, 32, 40))
for pixels in (volume.bright_field.pixels, volume.fluorescence.pixels, volume.nuclei):
    print(hashlib.sha256(pixels.tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def volume() -> PhantomVolume:
    return simulate(SLIDES[2], 1, shape=SHAPE)


def test_a_volume_has_its_form(volume: PhantomVolume) -> None:
    for image in (volume.bright_field, volume.fluorescence):
        assert image.shape == SHAPE
        assert image.axes == "ZYX"
        assert image.bits == 14
        assert image.dtype == np.uint16
        assert image.spacing_um == (0.29, 0.108, 0.108)
        assert int(image.pixels.max()) < 2**14 - 1
    assert volume.nuclei.shape == SHAPE
    numbers = np.unique(volume.nuclei)
    np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
    assert len(numbers) > 1


# What makes numpy, torch and its libraries compute as on a processor without AVX.
OLD_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX2 FMA3",
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
}


@pytest.mark.slow
def test_equal_bytes_with_other_threads_and_on_another_processor() -> None:
    found = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", DIGEST, threads],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | processor,
        ).stdout
        for threads, processor in (("1", {}), ("4", {}), ("1", OLD_PROCESSOR))
    ]
    assert found[0] == found[1] == found[2]
    other = simulate(SLIDES[1], 2, shape=(6, 32, 40)).bright_field.pixels
    assert hashlib.sha256(other.tobytes()).hexdigest() not in found[0]


def test_nuclei_shine_and_the_rest_hardly(volume: PhantomVolume) -> None:
    light = volume.fluorescence.pixels.astype(float)
    nuclei = volume.nuclei > 0
    # A widefield image is hazy: planes of one nucleus light up those of its neighbors.
    assert light[nuclei].mean() > 2 * light[~nuclei].mean()


def test_the_noise_of_a_volume_is_the_cameras(volume: PhantomVolume) -> None:
    camera = Camera()
    fit = fit_noise([volume.bright_field])
    light = volume.bright_field.pixels.mean()
    planted = camera.gain * (light - camera.offset) + (camera.gain * camera.read_noise) ** 2
    assert float(fit.model.variance(light)) == pytest.approx(planted, rel=0.1)


def test_light_does_not_come_round_the_ends_of_the_stack() -> None:
    light = np.zeros((12, 64, 64), np.float32)
    light[11, 32, 32] = 1000.0
    without_end = np.zeros((96, 64, 64), np.float32)
    without_end[40:52] = light
    expected = fluorescence(without_end, Microscope())[40:52]
    found = fluorescence(deepened(light, 0.0), Microscope())[:12]
    np.testing.assert_allclose(found, expected, atol=1e-3 * float(expected[0].max()))
