import numpy as np
import pytest

from cytopress.errors import PackageError
from cytopress.kernels import paths, threads
from cytopress.kernels.convolution import Convolution

pytestmark = pytest.mark.both_numpy


def layer(
    random: np.random.Generator, shape: tuple[int, ...], *, size: int = 300, **options: int
) -> Convolution:
    weight = random.integers(-size, size + 1, shape).astype(np.int16)
    bias = random.integers(-(10**6), 10**6, shape[0]).astype(np.int32)
    options = {"shift": 9, "low": -(2**15), "high": 2**15 - 1, "most": 2**12} | options
    return Convolution(weight, bias, **options)


def drawn(random: np.random.Generator, shape: tuple[int, ...], most: int = 2**12) -> np.ndarray:
    return random.integers(-most, most, shape, endpoint=True).astype(np.int16)


def by_definition(of: Convolution, x: np.ndarray, residual: np.ndarray | int = 0) -> np.ndarray:
    """Return the sums in 64 bits, tap by tap."""
    side, stride = of.weight.shape[2], of.stride
    margin = side // 2 if side % 2 and stride == 1 else 0
    padded = np.pad(x.astype(np.int64), ((margin, margin), (margin, margin), (0, 0)))
    height, width = ((n - side) // stride + 1 for n in padded.shape[:2])
    sums = np.zeros((height, width, len(of.weight)), np.int64) + of.bias
    for top in range(side):
        for left in range(side):
            rows = slice(top, top + (height - 1) * stride + 1, stride)
            columns = slice(left, left + (width - 1) * stride + 1, stride)
            tap = of.weight[:, :, top, left].astype(np.int64)
            sums += np.einsum("hwi,oi->hwo", padded[rows, columns], tap)
    rounded = (sums + (1 << of.shift >> 1)) >> of.shift
    return np.clip(rounded + residual, of.low, of.high)


@pytest.mark.parametrize(
    ("outputs", "inputs", "side", "stride"),
    [(16, 16, 3, 1), (33, 7, 3, 1), (5, 2, 1, 1), (32, 64, 1, 1), (12, 6, 2, 2), (1, 1, 5, 1),
     (17, 3, 3, 2), (48, 48, 3, 1)],
)  # fmt: skip
@pytest.mark.parametrize(("height", "width"), [(13, 22), (5, 4), (1, 1), (1, 40), (31, 1)])
def test_sums_are_those_of_the_definition(
    path: str, outputs: int, inputs: int, side: int, stride: int, height: int, width: int
) -> None:
    random = np.random.default_rng(outputs + height)
    of = layer(random, (outputs, inputs, side, side), stride=stride)
    x = drawn(random, (height, width, inputs))
    expected = by_definition(of, x) if min(height, width) >= side or side % 2 else None
    found = of(x)
    if expected is None or min(expected.shape) == 0:
        assert found.size == 0
        return
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", [np.int16, np.int32])
@pytest.mark.parametrize("outputs", [16, 21])
def test_a_residual_is_added_before_clipping(path: str, kind: type, outputs: int) -> None:
    random = np.random.default_rng(3)
    of = layer(random, (outputs, 4, 3, 3), low=0, high=9000)
    x, limits = drawn(random, (9, 10, 4)), np.iinfo(kind)
    residual = random.integers(limits.min, limits.max, (9, 10, outputs), endpoint=True).astype(kind)
    residual[::2] >>= 5
    held = np.clip(residual.astype(np.int64), -(2**30) + 1, 2**30 - 1)
    np.testing.assert_array_equal(of(x, residual), by_definition(of, x, held))


@pytest.mark.parametrize("low", [-(2**31), -(2**20)])
def test_outputs_of_32_bits(path: str, low: int) -> None:
    random = np.random.default_rng(4)
    of = layer(random, (18, 8, 3, 3), shift=3, low=low, high=2**31 - 1)
    x = drawn(random, (6, 7, 8))
    assert of(x).dtype == np.int32
    np.testing.assert_array_equal(of(x), by_definition(of, x))


def test_the_largest_sums_that_are_admitted_are_exact(path: str) -> None:
    """Every product has the same sign, and both of a pair are the largest of 16 bits."""
    for sign in (1, -1):
        weight = np.full((16, 2, 1, 1), sign * (2**15 - 1), np.int16)
        left = 2**31 - 1 - 2 * (2**15 - 1) * 2**15
        of = Convolution(weight, np.full(16, sign * left, np.int32), 0, -(2**31), 2**31 - 1)
        x = np.full((3, 7, 2), -(2**15), np.int16)
        np.testing.assert_array_equal(of(x), by_definition(of, x))
        assert abs(int(of(-x - 1)[0, 0, 0])) <= 2**31 - 1
    lowest = np.full((16, 1, 1, 1), -(2**15), np.int16)
    of = Convolution(lowest, np.zeros(16, np.int32), 15, -(2**15), 2**15 - 1)
    assert (of(np.full((1, 9, 1), -(2**15), np.int16)) == 2**15 - 1).all()


def test_sums_that_could_leave_32_bits_are_refused() -> None:
    weight = np.full((1, 2, 1, 1), -(2**15), np.int16)
    with pytest.raises(PackageError, match="32 bits hold"):
        Convolution(weight, np.zeros(1, np.int32), 0, 0, 9)
    with pytest.raises(PackageError, match="32 bits hold"):
        Convolution(weight[:, :1], np.full(1, 2**30, np.int32), 30, 0, 9)
    # The same weights are right for smaller inputs.
    Convolution(weight, np.zeros(1, np.int32), 0, 0, 9, most=2**14)


def test_inputs_beyond_the_proof_are_refused(path: str) -> None:
    of = layer(np.random.default_rng(5), (4, 4, 3, 3), most=1000)
    x = np.zeros((40, 50, 4), np.int16)
    for value in (1001, -1001):
        x[37, 49, 2] = value
        with pytest.raises(ValueError, match="farther from 0"):
            of(x)


@pytest.mark.parametrize("number", [2, 3, 8])
def test_threads_change_no_number(path: str, number: int) -> None:
    random = np.random.default_rng(6)
    of = layer(random, (20, 10, 3, 3))
    x = drawn(random, (37, 19, 10))
    alone = of(x)
    with threads.using(number):
        np.testing.assert_array_equal(of(x), alone)


def test_numpy_computes_in_float32_where_it_is_exact(path: str) -> None:
    random = np.random.default_rng(7)
    of = layer(random, (8, 4, 3, 3), size=20, most=500, shift=2)
    of = Convolution(of.weight, of.bias // 10, 2, of.low, of.high, most=500)
    assert of._matrix.dtype == np.float32
    x = drawn(random, (12, 13, 4), 500)
    np.testing.assert_array_equal(of(x), by_definition(of, x))


def test_parts_of_arrays_are_taken(path: str) -> None:
    random = np.random.default_rng(8)
    of = layer(random, (16, 4, 3, 3))
    x = drawn(random, (20, 22, 9))[::2, 1::3, 2:6]
    residual = drawn(random, (10, 7, 32))[..., ::2]
    np.testing.assert_array_equal(of(x, residual), by_definition(of, x, residual.astype(np.int64)))


@pytest.mark.slow
def test_random_layers_agree_on_every_path() -> None:
    random = np.random.default_rng()
    for _ in range(500):
        side, stride = [(1, 1), (3, 1), (2, 2), (5, 1)][random.integers(4)]
        shape = (*random.integers(1, 70, 2), side, side)
        of = layer(random, shape, stride=stride, most=2**9, shift=int(random.integers(2, 14)))
        x = drawn(random, (*random.integers(1, 40, 2), shape[1]), 2**9)
        found = []
        for path in paths.available():
            with paths.using(path), threads.using(int(random.integers(1, 9))):
                found.append(of(x))
        for each in found[:-1]:
            np.testing.assert_array_equal(each, found[-1])
