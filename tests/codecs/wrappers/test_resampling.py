"""Resampling is what its taps say, in integers, and the nearest that half the resolution can be."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from cytopress.codecs.wrappers.resampling import (
    DECIMATION,
    INTERPOLATION,
    TAP_BITS,
    decimate,
    half,
    interpolate,
)

pytestmark = pytest.mark.both_numpy

SHAPES = [(1, 1), (1, 2), (2, 1), (1, 9), (7, 1), (3, 3), (5, 8), (40, 21), (64, 65), (97, 66)]


def at(place: int, length: int) -> int:
    """Mirror a place into an axis, one reflection after another."""
    while not 0 <= place < length:
        place = -1 - place if place < 0 else 2 * length - 1 - place
    return place


def by_hand(plane: np.ndarray, row: int, column: int, *, up: bool) -> Fraction:
    """Return one pixel of the other resolution by the definition, in exact fractions."""
    if up:
        first, taps = -4, {0: INTERPOLATION, 1: INTERPOLATION[::-1]}
        places = [(n // 2 + first + n % 2, taps[n % 2]) for n in (row, column)]
    else:
        both = (*DECIMATION[::-1], *DECIMATION)
        places = [(2 * n - len(DECIMATION) + 1, both) for n in (row, column)]
    (top, rows), (left, columns) = places
    total = sum(
        a * b * int(plane[at(top + i, plane.shape[0]), at(left + j, plane.shape[1])])
        for i, a in enumerate(rows)
        for j, b in enumerate(columns)
    )
    return Fraction(total, 4**TAP_BITS)


def rounded(value: Fraction, most: int) -> int:
    return min(max((value + Fraction(1, 2)).__floor__(), 0), most)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "fraction"), [(np.uint8, 4), (np.uint16, 0)])
def test_pixels_are_what_the_taps_say(shape: tuple[int, int], dtype: type, fraction: int) -> None:
    random = np.random.default_rng(1)
    top = np.iinfo(dtype).max
    plane = random.integers(0, top, shape, dtype, endpoint=True)
    most = (top + 1 << fraction) - 1
    small = decimate(plane, fraction, most)
    large = interpolate(small, fraction, shape, top)
    assert small.shape == (half(shape[0]), half(shape[1]))
    assert (large.shape, large.dtype) == (shape, plane.dtype)
    for _ in range(12):
        row, column = (int(random.integers(n)) for n in small.shape)
        value = by_hand(plane, row, column, up=False) * 2**fraction
        assert small[row, column] == rounded(value, most)
        row, column = (int(random.integers(n)) for n in shape)
        value = by_hand(small, row, column, up=True) / 2**fraction
        assert large[row, column] == rounded(value, top)


@pytest.mark.parametrize("value", [0, 1, 255, 40000, 65535])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (70, 33)])
def test_a_constant_stays_what_it_is(value: int, shape: tuple[int, int]) -> None:
    plane = np.full(shape, value, np.uint16)
    small = decimate(plane, 0, 65535)
    assert np.unique(small) == value
    assert np.unique(interpolate(small, 0, shape, 65535)) == value


def test_decimation_is_the_least_squares_match_of_interpolation() -> None:
    """No other small plane gives a nearer one: that of an independent solver is none."""
    random = np.random.default_rng(2)
    y, x = np.mgrid[:64, :64]
    light = 20000 + 8000 * np.sin(y / 5) * np.cos(x / 3) + random.normal(0, 900, y.shape)
    plane = np.rint(light).astype(np.uint16)
    # Negative lobes are clipped at 0, so a unit stands on a pedestal.
    base = np.full((32, 1), 30000, np.uint16)
    units = [
        interpolate(base + (row[:, None] * 20000).astype(np.uint16), 0, (64, 1), 65535)[:, 0] - 3e4
        for row in np.eye(32)
    ]
    up = np.stack(units, axis=1) / 20000
    onto = up @ np.linalg.pinv(up)
    least = np.mean((onto @ plane @ onto.T - plane) ** 2)
    ours = interpolate(decimate(plane, 0, 65535), 0, plane.shape, 65535)
    assert np.mean((ours - plane.astype(float)) ** 2) < 1.01 * least


def test_noise_above_half_the_bandwidth_goes_and_waves_below_stay() -> None:
    y, x = np.mgrid[:96, :96]
    for frequency, kept in ((1 / 24, True), (1 / 8, True), (0.42, False)):
        wave = np.rint(30000 + 9000 * np.cos(2 * np.pi * frequency * (x + y))).astype(np.uint16)
        back = interpolate(decimate(wave, 0, 65535), 0, wave.shape, 65535)
        left = np.std((back.astype(float) - wave)[16:-16, 16:-16]) / np.std(wave)
        assert left < 0.02 if kept else left > 0.9
