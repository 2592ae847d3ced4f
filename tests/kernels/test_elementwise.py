import numpy as np
import pytest
from cytopress.kernels.elementwise import counts, narrowed, nearest_rows, scaled

pytestmark = pytest.mark.both_numpy
EXTREMES = np.array([-(2**31), 2**31 - 1, -1, 0, 1, 2**15, -(2**15)], np.int32)


def numbers(count: int = 1000) -> np.ndarray:
    random = np.random.default_rng(count)
    drawn = random.integers(-(2**31), 2**31, count) >> random.integers(0, 31, count)
    return np.concatenate([EXTREMES, drawn.astype(np.int32)])


def shifted(value: int, shift: int) -> int:
    """Round to the nearest, halves up, in Python's own integers."""
    return (value + (1 << shift >> 1)) >> shift


@pytest.mark.parametrize("shift", [0, 1, 15, 30])
@pytest.mark.parametrize("threads", [1, 3])
def test_narrowed_and_rows(path: str, shift: int, threads: int) -> None:
    values = numbers()
    plain = np.array([shifted(int(v), shift) for v in values])
    found = narrowed(values, shift, threads=threads)
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, plain.clip(-32767, 32767))
    for count in (1, 56, 256):
        rows = nearest_rows(values, shift, count, threads=threads)
        assert rows.dtype == np.uint8
        np.testing.assert_array_equal(rows, plain.clip(0, count - 1))


@pytest.mark.parametrize("shift", [0, 1, 31, 62])
def test_scaled(path: str, shift: int) -> None:
    values = numbers(1001).reshape(2, -1, 7)
    factors = np.array([0, 1, 2**31 - 1, 3, 2**16, 2**30 + 7, 12345])
    expected = [
        min(max(shifted(int(v) * int(factors[at % 7]), shift), -(2**28) + 1), 2**28 - 1)
        for at, v in enumerate(values.reshape(-1))
    ]
    for threads in (1, 4):
        found = scaled(values, factors, shift, threads=threads)
        assert found.shape == values.shape
        np.testing.assert_array_equal(found.reshape(-1), expected)


@pytest.mark.parametrize("most", [255, 4095, 65535])
@pytest.mark.parametrize(
    ("span", "middle", "shift"), [(65535, 65535, 0), (1, 0, 1), (900, 30000, 15)]
)
def test_counts(path: str, most: int, span: int, middle: int, shift: int) -> None:
    values = numbers()
    expected = [min(max(middle + shifted(int(v) * span, shift), 0), most) for v in values]
    found = counts(values, span, middle, shift, most, threads=2)
    assert found.dtype == (np.uint8 if most < 256 else np.uint16)
    np.testing.assert_array_equal(found, expected)


def test_parts_of_arrays_are_taken(path: str) -> None:
    values = numbers(2000)[: 40 * 49].reshape(40, 49)[1::2, 3::5]
    np.testing.assert_array_equal(narrowed(values, 4), narrowed(values.copy(), 4))
    assert narrowed(values[:0]).shape == (0, values.shape[1])


def test_other_types_and_ranges_are_refused(path: str) -> None:
    values = numbers()
    for call in (
        lambda: narrowed(values.astype(np.int64)),
        lambda: narrowed(values, 31),
        lambda: nearest_rows(values, 8, 257),
        lambda: nearest_rows(values, 8, 0),
        lambda: scaled(values, np.array([2**31] * len(values)), 4),
        lambda: scaled(values, np.array([1, 2]), 4),
        lambda: counts(values, 2**16, 0, 4, 255),
        lambda: counts(values, 1, -1, 4, 255),
    ):
        with pytest.raises(ValueError, match="another type or range"):
            call()
