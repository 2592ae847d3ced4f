import itertools
import math

import numpy as np
import pytest

from cytopress.kernels import threads
from cytopress.kernels.places import activity, add, dequantized, neighborhoods, table_rows

pytestmark = pytest.mark.both_numpy
EXTREMES = np.array([-(2**31), 2**31 - 1, -1, 0, 1, 2**15, -(2**15), 2**24 - 256], np.int32)
PLACES = np.array([5, 0, 14, 13, 2], np.int32)


def view(channels: int = 11, seed: int = 0) -> np.ndarray:
    """Return channels of a wider array, 3 x 5 places, with numbers of all sizes."""
    random = np.random.default_rng(seed)
    wide = random.integers(-(2**31), 2**31, (3, 5, channels + 4))
    wide = (wide >> random.integers(0, 31, wide.shape)).astype(np.int32)
    found = wide[..., 3 : 3 + channels]
    found.reshape(-1)  # a copy: the view itself is not contiguous
    found[1, 2, : min(8, channels)] = EXTREMES[:channels]
    return found


def of_places(a: np.ndarray, places: np.ndarray | None) -> list[list[int]]:
    flat = a.reshape(-1, a.shape[2]).tolist()
    return flat if places is None else [flat[place] for place in places]


def shifted(value: int, shift: int) -> int:
    """Round to the nearest, halves up, in Python's own integers."""
    return (value + (1 << shift >> 1)) >> shift


def wrapped(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def clipped(value: int, most: int, least: int | None = None) -> int:
    return min(max(value, -most if least is None else least), most)


@pytest.mark.parametrize("places", [None, PLACES])
@pytest.mark.parametrize("number", [1, 3])
def test_activity_counts_bits(path: str, places: np.ndarray | None, number: int) -> None:
    index = np.abs(view() >> 16) * np.arange(1, 12, dtype=np.int32) - 2000
    bias = np.arange(-300, 800, 100, dtype=np.int32)
    expected = []
    for values in of_places(index, places):
        total = sum(max(v + int(b) - 2304, 0) for v, b in zip(values, bias, strict=True))
        expected.append(clipped(total.bit_length() - 1 - 9, 8, -1))
    with threads.using(number):
        found, rows = activity(index, bias, (2304, 9, 9), places, (8, 56))
    assert found.dtype == np.int8
    assert found.tolist() == expected
    assert len(set(expected)) > 2
    np.testing.assert_array_equal(rows, table_rows(index, bias[None], 8, 56, places))
    assert not activity(index, bias, (2304, 9, 9), places)[1].size


def test_activity_of_extremes(path: str) -> None:
    index = np.full((1, 2, 1024), 2**31 - 1, np.int32)
    index[0, 1] = -(2**31)
    assert activity(index, np.zeros(1024, np.int32), (0, 9, 9))[0].tolist() == [8, -1]


@pytest.mark.parametrize("places", [None, PLACES])
@pytest.mark.parametrize(("shift", "count"), [(0, 256), (1, 1), (8, 56), (30, 2)])
def test_rows_of_tables(path: str, places: np.ndarray | None, shift: int, count: int) -> None:
    index = view()
    bias = view(seed=1).reshape(-1, 11)[:3].copy()
    kinds = np.resize(np.array([0, 2, 1, 0], np.int8), 15 if places is None else 5)
    for which in (None, kinds):
        expected = [
            clipped(shifted(wrapped(v + int(b)), shift), count - 1, 0)
            for at, values in enumerate(of_places(index, places))
            for v, b in zip(values, bias[0 if which is None else which[at]], strict=True)
        ]
        found = table_rows(index, bias, shift, count, places, which)
        assert found.dtype == np.uint8
        assert found.tolist() == expected


@pytest.mark.parametrize("places", [None, PLACES])
@pytest.mark.parametrize("number", [1, 4])
def test_values_are_added_in_place(path: str, places: np.ndarray | None, number: int) -> None:
    target = view()
    whole, before = target.base, target.copy()
    assert whole is not None
    beside = whole[..., :3].copy()
    values = view(seed=2).reshape(-1, 11)[: 15 if places is None else 5]
    with threads.using(number):
        add(target, values, places)
    expected = before.reshape(-1, 11).astype(np.int64)
    for at, place in enumerate(range(15) if places is None else PLACES):
        expected[place] += values[at]
    np.testing.assert_array_equal(target.reshape(-1, 11), np.vectorize(wrapped)(expected))
    np.testing.assert_array_equal(whole[..., :3], beside)


def logarithm(value: int) -> int:
    """sign(v) log2(1 + |v|) with 8 bits of fraction, a line between powers of two, rounded down."""
    size = abs(value) + 256
    octave = size.bit_length() - 1
    found = (octave - 8) * 256 + (size - 2**octave) * 256 // 2**octave
    return -found if value < 0 else found


@pytest.mark.parametrize("channels", [1, 7, 8, 16, 37])
@pytest.mark.parametrize("places", [None, PLACES])
def test_neighborhoods(path: str, channels: int, places: np.ndarray | None) -> None:
    known = view(channels)
    offsets = np.array([(-1, 0), (0, 0), (1, -1), (0, 9)], np.int32)
    logs, narrow = neighborhoods(known, 4, places, offsets)
    assert logs.dtype == narrow.dtype == np.int16
    for at, place in enumerate(range(15) if places is None else PLACES):
        for k, (down, across) in enumerate(offsets.tolist()):
            y, x = place // 5 + down, place % 5 + across
            inside = 0 <= y < 3 and 0 <= x < 5
            values = known[y, x].tolist() if inside else [0] * channels
            assert logs[at, k].tolist() == [logarithm(v) for v in values]
            assert narrow[at, k].tolist() == [clipped(shifted(v, 4), 32767) for v in values]


def test_logarithms_near_powers_of_two(path: str) -> None:
    near = [2**n + d for n in range(31) for d in (-257, -256, -255, -1, 0, 1)]
    values = np.array([v for v in near if v < 2**31] + [-v for v in near], np.int32)
    logs, _ = neighborhoods(values.reshape(1, -1, 1), 0)
    assert logs.ravel().tolist() == [logarithm(v) for v in values.tolist()]
    assert math.isclose(logarithm(255 * 256) / 256, 8.0)


@pytest.mark.parametrize("shift", [0, 1, 31, 62])
@pytest.mark.parametrize("number", [1, 3])
def test_dequantized(path: str, shift: int, number: int) -> None:
    latents = view(7)
    factors = np.array([0, 1, 2**31 - 1, 3, 2**16, 2**30 + 7, 12345])
    with threads.using(number):
        wide, narrow = dequantized(latents, factors, shift, 3)
    products = zip(latents.reshape(-1).tolist(), itertools.cycle(factors.tolist()), strict=False)
    expected = [clipped(shifted(v * factor, shift), 2**28 - 1) for v, factor in products]
    assert wide.reshape(-1).tolist() == expected
    assert narrow.reshape(-1).tolist() == [clipped(shifted(v, 3), 32767) for v in expected]


def test_other_types_and_shapes_are_refused(path: str) -> None:
    a = view()
    bias = np.zeros(11, np.int32)
    with pytest.raises(ValueError, match="another type or shape"):
        activity(a.astype(np.int64), bias, (0, 9, 9))
    with pytest.raises(ValueError, match="another type or shape"):
        activity(a, bias[:5], (0, 9, 9))
    with pytest.raises(ValueError, match="another type or shape"):
        neighborhoods(a[:, ::2], 4)
    with pytest.raises(ValueError, match="another type or shape"):
        dequantized(a, np.full(11, 2**31), 3, 3)


def test_places_that_do_not_exist_are_refused(path: str) -> None:
    for place in (15, -16, 2**31 - 1):
        with pytest.raises((ValueError, IndexError)):
            add(view(), np.zeros((2, 11), np.int32), np.array([0, place], np.int32))


@pytest.mark.parametrize("places", [None, PLACES])
def test_rows_of_the_first_kind_are_kept(path: str, places: np.ndarray | None) -> None:
    index, bias = view(), view(seed=1).reshape(-1, 11)[:3].copy()
    which = (np.arange(len(list(of_places(index, places)))) % 3).astype(np.int8)
    kept = table_rows(index, bias, 8, 56, places)
    found = table_rows(index, bias, 8, 56, places, which, kept)
    np.testing.assert_array_equal(found, table_rows(index, bias, 8, 56, places, which))
    assert np.shares_memory(found, kept)
