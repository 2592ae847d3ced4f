"""Properties of planted images, against what was planted."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.image import Image
from cytopress.quick_look.properties import image_properties
from fakes.planted_fields import bright_field_light, camera, fluorescence_light, true_sigma


@pytest.mark.parametrize("count", [5, 40, 160])
@pytest.mark.parametrize("light", [fluorescence_light, bright_field_light])
def test_the_share_of_signal_grows_with_the_objects(light, count):
    found = image_properties(camera(light(count)))
    # Blocks whose light alone moves their quarters' means by five sigma of such a mean.
    quarters = light(count).reshape(32, 2, 4, 32, 2, 4).mean(axis=(2, 5))
    noise = true_sigma(quarters.mean(axis=(1, 3))) / 4
    planted = np.mean(np.ptp(quarters, axis=(1, 3)) > 5.5 * noise)
    assert 0.8 * planted < found.signal < 1.25 * planted + 0.01


@pytest.mark.parametrize("light", [np.full((256, 256), 50.0), np.linspace(50, 150, 2**16)])
def test_noise_alone_is_no_signal_even_in_uneven_light(light):
    assert image_properties(camera(light.reshape(256, 256))).signal < 0.003


def test_filtered_noise_is_no_signal():
    from scipy import ndimage

    noise = ndimage.gaussian_filter(camera(np.full((256, 256), 500.0)).pixels.astype(float), 1.5)
    found = image_properties(Image(np.rint(noise * 20).astype(np.uint16)))
    assert found.noise_hidden
    assert found.signal < 0.02


def test_the_noise_of_the_background_is_the_cameras():
    found = image_properties(camera(fluorescence_light()))
    assert found.background_sigma == pytest.approx(float(true_sigma(np.array(20.0))), rel=0.15)


def test_the_error_that_a_psnr_allows_is_in_units_of_the_noise():
    found = image_properties(camera(fluorescence_light()))
    # By definition of PSNR: 40 dB are a hundredth of the range.
    assert found.sigma_at_psnr(40) == pytest.approx(found.data_range / 100 / found.background_sigma)


def test_a_background_is_dark_or_in_between():
    assert image_properties(camera(fluorescence_light())).background < 0.1
    assert 0.3 < image_properties(camera(bright_field_light())).background < 0.7


def test_floats_and_constant_images_are_measured():
    image = camera(fluorescence_light())
    floats = image_properties(Image(image.pixels.astype(np.float32) / 1000))
    assert floats.signal == pytest.approx(image_properties(image).signal, abs=0.02)
    constant = image_properties(Image(np.full((40, 48), 7, np.uint8)))
    assert (constant.signal, constant.background) == (0.0, 0.0)
