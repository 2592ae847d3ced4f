"""A plane in one pass is what its kernels give one after the other, each tested on its own."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.kernels import paths, threads
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.lapped_transform import LappedSynthesis
from cytopress.kernels.pixel_rows import Counts, Lines, counts
from cytopress.kernels.places import dequantized
from cytopress.kernels.plane_synthesis import PlaneSynthesis, Scaling

pytestmark = pytest.mark.both_numpy
MOST = 2**28 - 1


def synthesis(size: int, sides: tuple[int, ...] = (1, 3, 5), seed: int = 0) -> PlaneSynthesis:
    random = np.random.default_rng(seed)
    widths, layers = [size**2, 20, 7, size**2], []
    widths = [*widths[: len(sides)], size**2]
    for number, side in enumerate(sides):
        weight = random.integers(-100, 101, (widths[number + 1], widths[number], side, side))
        last = number == len(sides) - 1
        limits = (-MOST, MOST) if last else (0, 2**12 - 1)
        bias = random.integers(-(2**20), 2**20, widths[number + 1]).astype(np.int32)
        layers.append(Convolution(weight.astype(np.int16), bias, 9, *limits, most=2**12))
    along_y, along_x = random.integers(-1000, 1001, (2, size, 2 * size)).astype(np.int16)
    order = random.permutation(size**2)
    return PlaneSynthesis(tuple(layers), LappedSynthesis(along_y, along_x, 13, 16, order))


def one_by_one(of: PlaneSynthesis, latents: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Return the numbers of whole planes by numpy, without any strip, thread or copy."""
    with paths.using(paths.NUMPY):
        wide, a = dequantized(latents, scaling.multiplier, scaling.shift, scaling.narrow_shift)
        for layer in of.layers[:-1]:
            a = layer(a)
        return of.transform(of.layers[-1](a, wide))


def scaling(size: int) -> Scaling:
    multiplier = np.random.default_rng(1).integers(2**18, 2**20, size**2)
    return Scaling(multiplier, 17, 5)


def drawn(shape: tuple[int, int], size: int, seed: int = 2) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(-4000, 4001, (*shape, size**2)).astype(np.int32)


@pytest.mark.parametrize("size", [8, 16])
@pytest.mark.parametrize("shape", [(1, 1), (37, 3), (19, 21)])
@pytest.mark.parametrize("sides", [(1, 3, 5), (3,)])
def test_numbers_are_those_of_the_kernels_one_by_one(
    path: str, size: int, shape: tuple[int, int], sides: tuple[int, ...]
) -> None:
    of, latents = synthesis(size, sides), drawn(shape, size)
    expected = one_by_one(of, latents, scaling(size))
    for cut in (0, size - 1):
        out = np.empty((shape[0] * size - cut, shape[1] * size - cut), np.int32)
        of(latents, scaling(size), out)
        np.testing.assert_array_equal(out, expected[: len(out), : out.shape[1]])


@pytest.mark.parametrize("most", [255, 4095])
@pytest.mark.parametrize("with_lines", [False, True])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_counts_are_rounded_with_their_background(
    path: str, most: int, with_lines: bool, number: int
) -> None:
    of, latents = synthesis(8), drawn((23, 6), 8)
    numbers = one_by_one(of, latents, scaling(8))[:181, :45].copy()
    out = np.empty(numbers.shape, np.uint8 if most < 256 else np.uint16)
    above = np.arange(181, dtype=np.int32) // 40
    held = np.random.default_rng(3).integers(-(2**22), 2**22, (5, 45))
    lines = Lines(held, above, np.arange(181, dtype=np.int32) % 40 * 2, 80, 14)
    rounding = Counts(60000, most // 2, 18, most)
    expected = np.empty_like(out)
    with paths.using(paths.NUMPY):
        counts(numbers, rounding, expected, lines if with_lines else None)
    with threads.using(number):
        of(latents, scaling(8), out, rounding, lines if with_lines else None)
    np.testing.assert_array_equal(out, expected)
    assert np.ptp(out) > 20


@pytest.mark.parametrize("period", [1, 2, 8, 3])
@pytest.mark.parametrize("width", [96, 51])
@pytest.mark.parametrize("number", [1, 3])
def test_empty_places_are_what_they_are_without_the_shortcut(
    path: str, period: int, width: int, number: int
) -> None:
    """Places that repeat, and a few cells among them."""
    of, pattern = synthesis(8), drawn((1, period), 8, period)
    latents = np.resize(pattern, (1, width, 64)).repeat(40, 0)
    for row, column in ((0, 0), (7, 30), (8, 41), (25, width - 1), (39, 17)):
        latents[row, column] += drawn((1, 1), 8, row)[0, 0]
    latents[:, 20] = latents[:, 28]
    out = np.empty((320, width * 8), np.int32)
    with threads.using(number):
        of(latents, scaling(8), out)
    np.testing.assert_array_equal(out, one_by_one(of, latents, scaling(8)))


def test_an_activation_beyond_its_layer_is_refused(path: str) -> None:
    of, latents = synthesis(8), np.full((3, 3, 64), 2**28, np.int32)
    with pytest.raises(ValueError, match="farther from 0"):
        of(latents, scaling(8), np.empty((24, 24), np.int32))


def test_other_types_and_shapes_are_refused(path: str) -> None:
    of, latents = synthesis(8), drawn((2, 3), 8)
    rounding = Counts(9, 9, 9, 999)
    lines = Lines(np.zeros((1, 24), np.int64), np.zeros(9, np.int32), np.zeros(9, np.int32), 2, 9)
    for out, options in (
        (np.empty((16, 24), np.int64), {}),
        (np.empty((17, 24), np.int32), {}),
        (np.empty((16, 24), np.uint8), {"rounding": rounding}),
        (np.empty((16, 24), np.uint16), {"rounding": rounding, "lines": lines}),
        (np.empty((9, 24), np.int32), {"lines": lines}),
    ):
        with pytest.raises(ValueError, match="cannot be pixels"):
            of(latents, scaling(8), out, **options)
    with pytest.raises(ValueError, match="cannot be pixels"):
        of(latents[..., :63].copy(), scaling(8), np.empty((16, 24), np.int32))
