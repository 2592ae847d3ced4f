"""Pixels to fixed-point numbers, against fractions."""

from fractions import Fraction

import numpy as np
import pytest

from cytopress.kernels.fractions import fractions, narrowed, subtract
from cytopress.kernels.pixel_rows import Lines

pytestmark = pytest.mark.both_numpy


@pytest.mark.parametrize(("dtype", "span"), [("uint8", 1), ("uint8", 77), ("uint16", 65535)])
@pytest.mark.parametrize("middle", [0, 120, 65535])
def test_pixels_are_rounded_fractions(path: str, dtype: str, span: int, middle: int) -> None:
    random = np.random.default_rng(span)
    pixels = random.integers(0, np.iinfo(dtype).max + 1, (7, 90)).astype(dtype)
    found = fractions(pixels, middle, span, 15, 2**25)
    assert found.shape == pixels.shape
    for pixel, number in zip(pixels.flat, found.flat, strict=True):
        exact = Fraction((int(pixel) - middle) * 2**15, span)
        exact = min(max(exact, Fraction(-(2**25))), Fraction(2**25))
        assert abs(int(number) - exact) <= Fraction(1, 2) + Fraction(1, 2**9)


def test_numbers_are_narrowed_by_rounding_half_up(path: str) -> None:
    values = np.array([[11, 12, -12, -13], [2**31 - 1, -(2**31), 2**18, -(2**18)]], np.int32)
    expected = [[1, 2, -1, -2], [32767, -32767, 32767, -32767]]
    np.testing.assert_array_equal(narrowed(values, 3), expected)
    np.testing.assert_array_equal(narrowed(values[:1], 0), values[:1])


@pytest.mark.parametrize("count", [1, 3])
def test_lines_are_subtracted_from_rows(path: str, count: int) -> None:
    random = np.random.default_rng(count)
    lines = random.integers(-(2**38), 2**38, (count, 33))
    above = random.integers(0, count, 40).astype(np.int32)
    of = Lines(lines, above, random.integers(-64, 128, 40).astype(np.int32), 128, 20)
    rows = random.integers(-(2**25), 2**25, (40, 33)).astype(np.int32)
    expected = rows.astype(np.int64)
    for y, x in np.ndindex(*rows.shape):
        first = int(lines[above[y], x])
        rise = int(lines[min(above[y] + 1, count - 1), x]) - first
        expected[y, x] -= first * 128 + rise * int(of.below[y]) + 2**19 >> 20
    subtract(of, rows)
    np.testing.assert_array_equal(rows, expected)


def test_what_does_not_fit_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="float32 pixels"):
        fractions(np.zeros((2, 2), np.float32), 0, 1, 15, 9)
    with pytest.raises(ValueError, match="narrowed by 31"):
        narrowed(np.zeros(2, np.int32), 31)
    of = Lines(np.zeros((1, 4), np.int64), *(np.zeros(3, np.int32) for _ in range(2)), 1, 1)
    with pytest.raises(ValueError, match="other rows"):
        subtract(of, np.zeros((3, 5), np.int32))
