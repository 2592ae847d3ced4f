"""Secondary transforms that an encoder chooses, against costs in floats by definition."""

import numpy as np
import pytest

from cytopress.errors import PackageError
from cytopress.kernels.forward_transforms import ForwardTransforms
from cytopress.kernels.rate_distortion import CostTable

pytestmark = pytest.mark.both_numpy
WEIGHT = 8.66


def table(weight: float = WEIGHT) -> CostTable:
    """Return one whose bits are multiples of the fraction: floats of it are exact."""
    random = np.random.default_rng(3)
    bits = np.rint(random.exponential(1, (9, 256)).cumsum(1) * 2**8) * 2.0**-8
    return CostTable(np.minimum(bits, 99), weight)


def cost(of: CostTable, residual: float, row: int, integer: int) -> float:
    size, toward = abs(residual), abs(integer)
    return of.bits[row, min(toward, 255)] + of.weight * (size - toward) ** 2


def made(channels: int, count: int = 3) -> ForwardTransforms:
    random = np.random.default_rng(channels)
    matrices = np.linalg.qr(random.normal(size=(count, channels, channels)))[0]
    bias = random.integers(-400, 400, (count, channels))
    return ForwardTransforms(np.rint(matrices * 2**14).astype(np.int16), bias)


@pytest.mark.parametrize("channels", [16, 48, 5, 1])
def test_transforms_are_products_to_within_a_fraction(path: str, channels: int) -> None:
    random = np.random.default_rng(channels)
    of, places = made(channels), 60
    spread = 2.0 ** random.integers(0, 12, (places, 1))
    residual = np.rint(random.normal(0, 1, (places, channels)) * 256 * spread).astype(np.int32)
    which = random.integers(0, 4, places).astype(np.int8)
    for row, number, given in zip(of(residual.copy(), which), which, residual, strict=True):
        exact = of.matrices[number - 1] * 2.0**-14 @ given if number else given
        most = np.abs(given).max()
        if number and most >= 2**19:
            exact = given
        # 14 bits of what is multiplied remain.
        assert np.abs(row - exact).max() <= max(1, most * 2.0**-13 * np.sqrt(channels))


@pytest.mark.parametrize("channels", [16, 48, 5])
def test_the_cheapest_transform_of_a_place_is_chosen(path: str, channels: int) -> None:
    random = np.random.default_rng(2)
    of, places, costs = made(channels), 40, table()
    residual = np.rint(random.laplace(0, 400, (places, channels))).astype(np.int32)
    residual[7] = 2**20
    index = random.integers(-300, 10 * 256, (places, channels)).astype(np.int32)
    classes = random.integers(-1, 2, places).astype(np.int8)
    choice = np.array([[100, 900, 1000, 1100], [2000, 300, 400, 200]], np.int32)
    found, saved = of.cheapest(residual, index, classes, choice, costs)
    total = 0.0
    for place, kind in enumerate(classes):
        if kind < 0:
            assert found[place] == 0
            continue
        by_number = []
        for number in range(4):
            which = np.array([number], np.int8)
            numbers = of(residual[place : place + 1].copy(), which)[0]
            wider = index[place] + (of.bias[number - 1] if number else 0)
            rows = np.clip((wider + 128) >> 8, 0, 8).astype(np.uint8)
            integers = costs.quantized(numbers, rows)
            pairs = zip(numbers, rows, integers, strict=True)
            own = sum(cost(costs, value / 256, row, int(each)) for value, row, each in pairs)
            by_number.append(own + choice[kind, number] / 256)
        possible = by_number[:1] if place == 7 else by_number
        slack = 0.05 * channels
        assert by_number[found[place]] <= min(possible) + slack
        total += by_number[0] - choice[kind, 0] / 256 - by_number[found[place]]
    assert found[7] == 0
    assert len(set(found)) == 4
    assert abs(saved / 256 - total) < 0.05 * channels * places


def test_no_places(path: str) -> None:
    nothing = np.zeros((0, 5), np.int32)
    none = np.zeros(0, np.int8)
    found, saved = made(5).cheapest(nothing, nothing, none, np.zeros((1, 4), np.int32), table())
    assert found.shape == (0,)
    assert saved == 0
    assert made(5)(nothing, none).shape == (0, 5)


def test_what_does_not_exist_is_refused(path: str) -> None:
    two, index = np.zeros((2, 5), np.int32), np.zeros((2, 5), np.int32)
    choice = np.zeros((2, 4), np.int32)
    with pytest.raises(ValueError, match="class is not one of 2"):
        made(5).cheapest(two, index, np.array([0, 2], np.int8), choice, table())
    with pytest.raises(ValueError, match="cannot take"):
        made(5).cheapest(two, index[:1], np.zeros(2, np.int8), choice, table())
    with pytest.raises(ValueError, match="not one of 3"):
        made(5)(two, np.array([0, 4], np.int8))
    with pytest.raises(PackageError, match="32 bits do not hold"):
        ForwardTransforms(np.full((1, 2000, 2000), 2**14, np.int16), np.zeros((1, 2000), int))
