import numpy as np
import pytest

from cytopress.codecs.container.container import Form
from cytopress.codecs.learned.pixels.normalization import (
    constant,
    normalized,
    pixels_of,
    used_range,
)
from cytopress.image import Image, Pixels

PERCENTILES = 0.1, 99.9


def images() -> list[Pixels]:
    random = np.random.default_rng(0)
    sparse = np.zeros((90, 70), np.uint16)
    sparse[3, 4] = 60_000
    return [
        random.integers(0, 256, (40, 50), np.uint8),
        random.integers(0, 65_536, (400, 300), np.uint16),
        sparse,
        random.normal(0, 1e-3, (60, 70)).astype(np.float32),
        random.normal(1e6, 3, (60, 70)).astype(np.float32),
    ]


@pytest.mark.parametrize("pixels", images(), ids=lambda pixels: str(pixels.dtype))
def test_pixels_come_back(pixels: Pixels) -> None:
    low, high = used_range(pixels, PERCENTILES)
    plane, center = normalized(pixels, low, high)
    assert plane.dtype == np.float32
    assert abs(plane.mean()) < 1e-3 * max(1, abs(center))
    back = pixels_of(plane, center, low, high, Form.of(Image(pixels)))
    if pixels.dtype.kind == "u":
        np.testing.assert_array_equal(back, pixels)
    else:
        np.testing.assert_allclose(back, pixels, atol=1e-6 * (high - low), rtol=1e-6)


def test_the_percentiles_are_0_and_1() -> None:
    pixels = images()[1]
    low, high = used_range(pixels, PERCENTILES)
    np.testing.assert_allclose((low, high), np.percentile(pixels, PERCENTILES), rtol=1e-6)
    plane, center = normalized(pixels, low, high)
    np.testing.assert_allclose(np.percentile(plane + center, PERCENTILES), (0, 1), atol=1e-5)
    # Values outside stay outside.
    assert (plane + center).min() < 0
    assert (plane + center).max() > 1


def test_a_range_wider_than_float32_does_not_overflow() -> None:
    pixels = np.linspace(-3e38, 3e38, 600, dtype=np.float32).reshape(20, 30)
    low, high = used_range(pixels, PERCENTILES)
    plane, center = normalized(pixels, low, high)
    back = pixels_of(plane, center, low, high, Form.of(Image(pixels)))
    np.testing.assert_allclose(back, pixels, atol=1e33)
    assert np.isfinite(pixels_of(plane * 1e30, center, low, high, Form.of(Image(pixels)))).all()


def test_a_hot_pixel_is_held_within_what_floats_can_tell() -> None:
    pixels = np.random.default_rng(0).normal(0, 1, (60, 60)).astype(np.float32)
    pixels[5, 5] = 1e30
    plane, center = normalized(pixels, *used_range(pixels, PERCENTILES))
    assert np.isfinite(plane).all()
    assert np.isfinite(center)


@pytest.mark.parametrize("value", [0, 7, 4095])
def test_a_constant_image_has_equal_limits(value: int) -> None:
    pixels = np.full((5, 6), value, np.uint16)
    low, high = used_range(pixels, PERCENTILES)
    assert low == high
    form = Form.of(Image(pixels, bits=12))
    np.testing.assert_array_equal(constant(low, form), pixels)
