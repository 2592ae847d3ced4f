"""Change along z and in the plane, against what planted errors do to white noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cytopress.errors import NotAvailableError
from cytopress.metrics import metric

SHAPE = (40, 80, 90)
SIGMA = 100.0


def white(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).normal(1000, SIGMA, shape)


def both(reference: np.ndarray, test: np.ndarray) -> tuple[float, float]:
    """Variation along z and in the plane."""
    names = ("variation_z", "variation_xy")
    along_z, in_plane = (metric(name)(reference, test, 1.0) for name in names)
    return along_z, in_plane


def test_equal_volumes_have_one() -> None:
    assert both(white(0), white(0)) == (1.0, 1.0)


def test_an_offset_of_each_plane_is_flicker_alone() -> None:
    """Offsets of +d and -d in turn add (2 d)^2 to the squared difference of planes, 2 sigma^2."""
    turns = np.where(np.arange(SHAPE[0]) % 2, 70.0, -70.0)[:, None, None]
    along_z, in_plane = both(white(0), white(0) + turns)
    assert along_z == pytest.approx(np.sqrt(1 + (2 * 70) ** 2 / (2 * SIGMA**2)), rel=0.01)
    assert in_plane == pytest.approx(1, abs=1e-12)


def test_blur_along_z_alone() -> None:
    """The mean of two planes halves the difference along z, and leaves the root of a half in it."""
    volume = white(0)
    along_z, in_plane = both(volume, ndimage.uniform_filter1d(volume, 2, axis=0, mode="wrap"))
    assert along_z == pytest.approx(1 / 2, rel=0.02)
    assert in_plane == pytest.approx(np.sqrt(1 / 2), rel=0.02)


def test_smoothing_of_planes_by_themselves_keeps_more_along_z() -> None:
    """The mean of n pixels of a plane leaves sigma / sqrt(n) between planes, less within them."""
    volume = white(0)
    along_z, in_plane = both(volume, ndimage.uniform_filter(volume, (1, 4, 4), mode="wrap"))
    assert along_z == pytest.approx(1 / 4, rel=0.02)
    # Along x, neighboring means of 4 x 4 share all but 2 x 4 of their pixels.
    assert in_plane == pytest.approx(np.sqrt(2 * 4 / 16**2 / 2), rel=0.02)


def test_white_noise_adds_to_both_alike() -> None:
    along_z, in_plane = both(white(0), white(0) + white(1))
    assert (along_z, in_plane) == pytest.approx((np.sqrt(2), np.sqrt(2)), rel=0.02)


def test_integers_do_not_wrap() -> None:
    volume = np.zeros((4, 6, 6), np.uint8)
    volume[::2, ::2] = 255
    assert both(volume, volume // 5) == pytest.approx((1 / 5, 1 / 5))


@pytest.mark.parametrize("name", ["variation_z", "variation_xy"])
def test_planes_and_constant_volumes_have_none(name: str) -> None:
    plane, flat = np.zeros((20, 20), np.uint16), np.full((3, 20, 20), 9, np.uint16)
    with pytest.raises(NotAvailableError, match="needs a stack"):
        metric(name)(plane, plane, 1.0)
    with pytest.raises(NotAvailableError, match="that differ"):
        metric(name)(flat, flat, 1.0)


def test_one_plane_has_no_neighbor() -> None:
    volume = white(0, (1, 20, 20))
    with pytest.raises(NotAvailableError, match="that differ"):
        metric("variation_z")(volume, volume, 1.0)
    assert metric("variation_xy")(volume, volume, 1.0) == 1
