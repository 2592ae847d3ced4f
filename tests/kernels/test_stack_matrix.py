import numpy as np
import pytest

from cytopress.errors import PackageError
from cytopress.kernels import paths, threads
from cytopress.kernels.stack_matrix import StackMatrix

pytestmark = pytest.mark.both_numpy
MOST = 2**28 - 1


def drawn(count: int, places: int, channels: int, seed: int = 1) -> list[np.ndarray]:
    """Return arrays of numbers of all sizes up to those of 32 bits, some places like others."""
    random = np.random.default_rng(seed)
    numbers = random.integers(-(2**31), 2**31, (count, places, channels))
    numbers >>= random.integers(0, 31, numbers.shape)
    numbers[:, places // 2 : places // 2 + 9] = numbers[:, :1]
    return list(numbers.astype(np.int32))


def matrix_of(outputs: int, inputs: int, seed: int = 2) -> np.ndarray:
    most = 2**15 // inputs
    found = np.random.default_rng(seed).integers(-most, most, (outputs, inputs))
    return found.astype(np.int16)


def defined(of: StackMatrix, stack: list[np.ndarray]) -> np.ndarray:
    """Return the products, one sum of Python's integers at a time."""
    order = np.arange(of.channels)[None] if of.order is None else of.order
    rows = []
    for array in stack:
        wide = np.pad(np.clip(array.astype(np.int64), -MOST, MOST), ((0, 0), (0, 1)))
        rows += [wide[:, each] for each in order]
    sums = sum(of.matrix[:, k, None, None].astype(np.int64) * row for k, row in enumerate(rows))
    return np.clip((sums + (1 << of.shift - 1)) >> of.shift, -MOST, MOST)


@pytest.mark.parametrize("shift", [13, 15, 17])
@pytest.mark.parametrize(
    ("outputs", "arrays", "rows"), [(1, 1, 1), (4, 3, 4), (2, 3, 2), (5, 3, 1)]
)
def test_products_are_those_of_the_definition(
    path: str, shift: int, outputs: int, arrays: int, rows: int
) -> None:
    channels = 70
    order = np.random.default_rng(3).integers(0, channels + 1, (rows, 64))
    of = StackMatrix(matrix_of(outputs, arrays * rows), shift, channels, order)
    stack = drawn(arrays, 41, channels)
    np.testing.assert_array_equal(of(stack), defined(of, stack))


def test_arrays_of_one_row_are_taken_as_they_lie(path: str) -> None:
    of = StackMatrix(matrix_of(4, 9), 14, 64)
    stack = drawn(9, 150, 64)
    np.testing.assert_array_equal(of(stack), defined(of, stack))
    assert of([x[:0] for x in stack]).shape == (4, 0, 64)


@pytest.mark.parametrize("number", [2, 3, 8])
def test_threads_change_no_number(path: str, number: int) -> None:
    of, stack = StackMatrix(matrix_of(4, 8), 14, 64), drawn(8, 37, 64)
    alone = of(stack)
    with threads.using(number):
        np.testing.assert_array_equal(of(stack), alone)


def test_extreme_values_with_the_largest_matrix_are_exact(path: str) -> None:
    # With 14 fractional bits, sums of 2 ** 16 - 1 are admitted.
    of = StackMatrix(np.full((2, 2), 2**15 - 1, np.int16), 14, 32)
    ends = np.resize([2**31 - 1, -(2**31), MOST, -MOST, 0], (2, 9, 32)).astype(np.int32)
    np.testing.assert_array_equal(of(list(ends)), defined(of, list(ends)))


def test_all_paths_agree_on_many_numbers() -> None:
    of, stack = StackMatrix(matrix_of(4, 8), 14, 64), drawn(8, 2000, 64, 5)
    found = []
    for path in paths.available():
        with paths.using(path):
            found.append(of(stack).tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("matrix", "order", "word"),
    [
        (np.full((2, 4), 2**15 - 1, np.int16), None, "32 bits"),
        (np.ones((2, 4), np.int32), None, "int16"),
        (np.ones((2, 65), np.int16), None, "at most 64"),
        (np.ones(4, np.int16), None, "shape"),
        (np.ones((2, 5), np.int16), np.zeros((2, 32), int), "2 rows"),
        (np.ones((2, 4), np.int16), np.zeros((2, 33), int), "33 numbers"),
        (np.ones((2, 4), np.int16), np.full((2, 32), 65), "numbers of 64"),
        (np.ones((2, 4), np.int16), np.full((2, 32), -1), "numbers of 64"),
    ],
)
def test_what_does_not_fit_is_refused(
    matrix: np.ndarray, order: np.ndarray | None, word: str
) -> None:
    with pytest.raises(PackageError, match=word):
        StackMatrix(matrix, 14, 64, order)


def test_other_arrays_are_refused() -> None:
    of, stack = StackMatrix(matrix_of(4, 3), 14, 64), drawn(3, 4, 64)
    for wrong in (stack[:2], [], [*stack[:2], stack[2][:3]], [x.astype(np.int64) for x in stack]):
        with pytest.raises(ValueError, match="cannot take"):
            of(wrong)
