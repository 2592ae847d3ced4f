"""Advice on planted images of each kind; real encodes judge whether it is right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import cytopress
from cytopress.image import Image
from cytopress.quick_look.advice import advise, unevenness
from cytopress.quick_look.properties import image_properties
from fakes.planted_fields import bright_field_light, camera, fluorescence_light, true_sigma


def advice_for(*images: Image):
    found = [image_properties(image) for image in images]
    return advise(found[0], found)


def errors_in_noise(light, spec):
    """Return the root-mean-square error of an encode in units of the camera's true noise."""
    image = camera(light)
    error = cytopress.decode(cytopress.encode(image, spec)).pixels.astype(float) - image.pixels
    return float(np.sqrt(np.mean((error / true_sigma(light)) ** 2)))


def test_sparse_fluorescence_is_for_sigma_and_not_for_psnr():
    light = fluorescence_light()
    found = advice_for(camera(light))
    assert (found.kind, found.targets, found.avoid) == (
        "dark background",
        ("sigma", "max_error"),
        ("psnr",),
    )
    assert "as in sparse fluorescence" in found.sentence
    assert "not for `psnr`" in found.sentence
    # Right: 40 dB hide what the camera saw, while sigma keeps what it says.
    assert errors_in_noise(light, "htj2k:psnr=40") > 2
    assert errors_in_noise(light, "htj2k:sigma=0.5,a=2,b=16,offset=100") < 0.6


def test_the_error_that_the_sentence_names_is_of_the_size_that_encodes_make():
    light = fluorescence_light()
    properties = image_properties(camera(light))
    assert (
        f"40 dB would allow errors of {properties.sigma_at_psnr(40):.2g} times"
        in advise(properties).sentence
    )
    image = camera(light)
    spec = f"htj2k:psnr=40,range={properties.data_range}"
    error = cytopress.decode(cytopress.encode(image, spec)).pixels.astype(float) - image.pixels
    made = np.sqrt(np.mean(error**2)) / properties.background_sigma
    assert properties.sigma_at_psnr(40) == pytest.approx(made, rel=0.1)


def test_bright_field_is_for_sigma_and_nothing_is_wrong_with_psnr():
    light = bright_field_light()
    found = advice_for(camera(light))
    assert (found.kind, found.targets[0], found.avoid) == ("even background", "sigma", ())
    assert "bright field" in found.sentence
    assert errors_in_noise(light, "htj2k:psnr=40") < 2


def test_phase_contrast_with_hardly_any_noise_is_not_for_psnr():
    quiet = camera(bright_field_light() * 20)
    found = advice_for(quiet)
    assert found.kind == "even background"
    assert ("psnr" in found.avoid) == (image_properties(quiet).sigma_at_psnr(40) > 2)


@pytest.mark.parametrize("light", [fluorescence_light, bright_field_light])
def test_filtered_images_are_for_max_error_alone(light):
    smooth = ndimage.gaussian_filter(camera(light()).pixels.astype(float), 1.5)
    found = advice_for(Image(np.rint(smooth).astype(np.uint16)))
    assert found.targets == ("max_error",)
    assert "hides the camera's noise" in found.sentence
    assert "times the noise" not in found.sentence


def test_fields_of_uneven_density_are_not_for_ratio():
    uneven = [fluorescence_light(6, 1), fluorescence_light(120, 2)]
    alike = [fluorescence_light(40, 3), fluorescence_light(40, 4)]
    found = advice_for(*map(camera, uneven))
    assert "ratio" in found.avoid
    assert "the fullest of 2 fields" in found.sentence
    assert "ratio" not in advice_for(*map(camera, alike)).avoid
    # Right: one ratio is another error in each uneven field, and the same in fields alike.
    few, many = (errors_in_noise(light, "htj2k:ratio=20") for light in uneven)
    one, other = (errors_in_noise(light, "htj2k:ratio=20") for light in alike)
    assert many > 2 * few
    assert max(one, other) < 1.5 * min(one, other)


def test_both_reasons_make_one_sentence():
    sentence = advice_for(*map(camera, [fluorescence_light(6), fluorescence_light(120)])).sentence
    assert ", nor for `ratio`, since" in sentence
    assert sentence.count(". ") == 0
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    "image", [camera(np.full((128, 128), 50.0)), Image(np.full((64, 64), 9, np.uint8))]
)
def test_a_blank_image_gets_no_target(image):
    found = advice_for(image)
    assert (found.kind, found.targets, found.avoid) == ("blank", (), ())
    assert "no target" in found.sentence


def test_floats_are_advised_like_the_integers_that_they_were():
    image = camera(fluorescence_light())
    floats = Image(image.pixels.astype(np.float32) / 7)
    assert advice_for(floats).kind == advice_for(image).kind
    assert advice_for(floats).avoid == advice_for(image).avoid


def test_blank_fields_do_not_make_fields_infinitely_uneven():
    blank, full = (
        image_properties(camera(light))
        for light in (np.full((256, 256), 20.0), fluorescence_light(25))
    )
    assert 1 < unevenness([blank, full]) < 100
    assert unevenness([full]) == unevenness([]) == 1
