"""Targets: what is reached is what scikit-image and closed forms say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from cytopress.codecs.container.form import STORED_TARGETS
from cytopress.codecs.targets.target import TARGET_KINDS, Target
from cytopress.errors import UsageError
from cytopress.image import Image
from cytopress.metrics import NoiseModel

PIXELS = np.random.default_rng(0).integers(0, 4000, (30, 40), dtype=np.uint16)
WORSE = (PIXELS + np.random.default_rng(1).integers(0, 9, PIXELS.shape)).astype(np.uint16)


def test_the_header_has_a_place_for_every_kind() -> None:
    assert TARGET_KINDS == STORED_TARGETS


def test_psnr_is_that_of_scikit_image() -> None:
    expected = peak_signal_noise_ratio(PIXELS, WORSE, data_range=3000)
    assert Target("psnr", 40, data_range=3000).reached(Image(PIXELS), WORSE) == pytest.approx(
        expected, abs=1e-9
    )


def test_the_largest_error_has_no_sign_and_does_not_wrap() -> None:
    low, high = np.array([[0, 5]], np.uint8), np.array([[255, 5]], np.uint8)
    assert Target("max_error", 1).reached(Image(low), high) == 255
    assert Target("max_error", 1).reached(Image(high), low) == 255


def test_sigma_is_the_error_over_the_noise_of_the_original() -> None:
    pixels = np.array([[100, 200], [50, 100]], np.uint16)
    off = pixels + np.array([[3, 0], [0, 4]], np.uint16)
    noise = NoiseModel(a=1, b=25, offset=100)
    # Variances 25, 125, 25, 25: relative squares 9/25, 0, 0, 16/25.
    reached = Target("sigma", 1, noise=noise).reached(Image(pixels), off)
    assert reached == pytest.approx(math.sqrt((9 + 16) / 25 / 4))


@pytest.mark.parametrize(
    ("kind", "value", "good", "bad"),
    [
        ("max_error", 4, 4, 4.01),
        ("sigma", 1, 1, 1.0001),
        ("psnr", 40, 40, 39.999),
        ("ratio", 10, 10, 9.999),
    ],
)
def test_errors_are_met_at_most_and_the_others_at_least(kind, value, good, bad) -> None:
    assert Target(kind, value).met(good)
    assert not Target(kind, value).met(bad)


@pytest.mark.parametrize(
    ("kind", "value", "reached", "margin"),
    [
        ("ratio", 10, 10.1, math.log(1.01)),
        ("ratio", 10, 5, -math.log(2)),
        ("sigma", 0.5, 0.25, math.log(2)),
        ("sigma", 0, 0.1, -math.inf),
        ("max_error", 4, 0, math.inf),
        ("max_error", 0, 0, 0),
        ("psnr", 40, 46.0206, math.log(2)),
        ("psnr", 40, math.inf, math.inf),
    ],
)
def test_margins_of_all_kinds_are_relative(kind, value, reached, margin) -> None:
    found = Target(kind, value).margin(reached)
    assert found == pytest.approx(margin, abs=1e-4)
    assert (found >= 0) == Target(kind, value).met(reached)


def test_exact_pixels_meet_any_quality() -> None:
    image = Image(PIXELS)
    assert Target("psnr", 500, data_range=1).met(
        Target("psnr", 500, data_range=1).reached(image, PIXELS)
    )
    assert Target("max_error", 0).met(Target("max_error", 0).reached(image, PIXELS))


@pytest.mark.parametrize("value", [math.nan, math.inf, -1])
@pytest.mark.parametrize("kind", TARGET_KINDS)
def test_numbers_that_mean_nothing_are_refused(kind, value) -> None:
    with pytest.raises(UsageError, match=kind):
        Target(kind, value)


@pytest.mark.parametrize("data_range", [0, -5, math.nan, math.inf])
def test_a_range_that_means_nothing_is_refused(data_range) -> None:
    with pytest.raises(UsageError, match="range"):
        Target("psnr", 40, data_range=data_range)


def test_a_yardstick_that_is_missing_is_an_error_and_no_guess() -> None:
    for kind in ("psnr", "sigma"):
        with pytest.raises(UsageError, match="needs"):
            Target(kind, 1).reached(Image(PIXELS), WORSE)


def test_a_ratio_far_exceeded_is_told() -> None:
    assert Target("ratio", 10).warnings(10.9) == []
    assert "11x" in Target("ratio", 10).warnings(11.1)[0]
