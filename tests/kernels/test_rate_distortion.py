"""An encoder's choices, against costs in floats by definition."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("weight", [0.0, WEIGHT, 400.0])
def test_integers_are_the_cheaper_of_two(path: str, weight: float) -> None:
    random = np.random.default_rng(1)
    of, count = table(weight), 300
    residual = np.rint(random.laplace(0, random.choice([300, 9000], count))).astype(np.int32)
    rows = random.integers(0, 9, count).astype(np.uint8)
    found = of.quantized(residual, rows)
    np.testing.assert_array_equal(found, of.quantized(residual, rows))
    exact = residual / 256
    nearest = np.sign(exact) * np.floor(np.abs(exact) + 0.5)
    lower = nearest - np.sign(nearest)
    assert (found != nearest).any() == (weight > 0)
    for value, row, chosen, up, down in zip(exact, rows, found, nearest, lower, strict=True):
        assert chosen in (up, down)
        if weight and 0 < abs(up) < 255:
            costs = [cost(of, value, row, int(each)) for each in (up, down)]
            # Squared errors are rounded down to 2 ** -8 bits or so.
            assert cost(of, value, row, int(chosen)) <= min(costs) + 0.02 * (1 + weight / 100)
        else:
            assert chosen == up


def test_far_residuals_are_the_nearest_integers_and_bounded(path: str) -> None:
    residual = np.array([2**30, -(2**31), 2**31 - 1, 65280 + 127, 65280 + 128, -65536], np.int32)
    found = table().quantized(residual, np.zeros(6, np.uint8))
    np.testing.assert_array_equal(found, [2**22, -(2**22), 2**22, 255, 256, -256])


def test_a_row_that_does_not_exist_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not one of 9"):
        table().quantized(np.zeros(1, np.int32), np.array([9], np.uint8))
    with pytest.raises(ValueError, match="cannot be quantized"):
        table().quantized(np.zeros(1, np.float32), np.array([1], np.uint8))
