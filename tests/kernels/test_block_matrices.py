import numpy as np
import pytest

from cytopress.errors import PackageError
from cytopress.kernels import threads
from cytopress.kernels.block_matrices import BlockMatrices

pytestmark = pytest.mark.both_numpy


def made(channels: int, count: int = 3) -> BlockMatrices:
    random = np.random.default_rng(channels)
    size = 2**17 // channels - 200
    shape = count, channels, channels
    return BlockMatrices(
        random.integers(-size, size, shape).clip(-(2**15), 2**15 - 1).astype(np.int16), 14, 8
    )


def by_definition(of: BlockMatrices, values: np.ndarray, which: np.ndarray) -> np.ndarray:
    out = np.empty(values.shape, np.int64)
    shift = of.precision - of.fraction
    for place, number in enumerate(which):
        seen = values[place].astype(np.int64)
        if number:
            sums = of.matrices[number - 1].astype(np.int64) @ seen.clip(-of.most, of.most)
            out[place] = (sums + (1 << shift - 1)) >> shift
        else:
            out[place] = seen.clip(-(2**22), 2**22) << of.fraction
    return out


@pytest.mark.parametrize("channels", [16, 48, 5, 1])
@pytest.mark.parametrize("places", [1, 200])
def test_products_are_those_of_the_definition(path: str, channels: int, places: int) -> None:
    random = np.random.default_rng(places)
    of = made(channels)
    values = random.integers(-(2**31), 2**31, (places, channels))
    values = (values >> random.integers(0, 31, values.shape)).astype(np.int32)
    which = random.integers(0, 4, places).astype(np.int8)
    expected = by_definition(of, values, which)
    np.testing.assert_array_equal(of(values, which), expected)
    with threads.using(3):
        np.testing.assert_array_equal(of(values, which), expected)


def test_products_are_added_to_places(path: str) -> None:
    random = np.random.default_rng(7)
    of, wide = made(18), random.integers(-(2**20), 2**20, (4, 5, 30)).astype(np.int32)
    values = random.integers(-99, 99, (6, 18)).astype(np.int32)
    which = np.array([0, 3, 1, 2, 0, 1], np.int8)
    places = np.array([19, 0, 7, 8, 3, 12], np.int32)
    expected = wide.reshape(20, 30).astype(np.int64)
    expected[places, 5:23] += by_definition(of, values, which)
    of.add(values, which, wide[..., 5:23], places)
    np.testing.assert_array_equal(wide.reshape(20, 30), expected)


def test_no_places_and_no_matrices(path: str) -> None:
    assert made(4)(np.zeros((0, 4), np.int32), np.zeros(0, np.int8)).shape == (0, 4)
    none = BlockMatrices(np.zeros((0, 4, 4), np.int16), 14, 8)
    np.testing.assert_array_equal(none(np.ones((2, 4), np.int32), np.zeros(2, np.int8)), 256)


@pytest.mark.parametrize("number", [-1, 4, 127])
def test_a_matrix_that_does_not_exist_is_refused(path: str, number: int) -> None:
    with pytest.raises(ValueError, match="not one of 3"):
        made(4)(np.zeros((2, 4), np.int32), np.array([0, number], np.int8))


def test_sums_that_could_leave_32_bits_are_refused() -> None:
    with pytest.raises(PackageError, match="32 bits hold"):
        BlockMatrices(np.full((1, 8, 8), 2**14, np.int16), 14, 8)
    with pytest.raises(PackageError, match="fractional"):
        BlockMatrices(np.zeros((1, 8, 8), np.int16), 14, 14)
