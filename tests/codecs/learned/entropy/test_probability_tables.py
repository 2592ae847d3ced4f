import constriction
import numpy as np
import pytest

from cytopress.codecs.learned.entropy.probability_tables import (
    PRECISION,
    ProbabilityTables,
    padded_rows,
)
from cytopress.errors import PackageError

pytestmark = pytest.mark.both_numpy


def range_decoded(words: list[int], cdf: list[int], count: int) -> list[int]:
    """Decode as a range coder is defined, in Python's own integers."""
    words = [*words, 0, 0, 0]
    left = words.pop(0) << 32 | words.pop(0)
    width = 2**64 - 1
    symbols = []
    for _ in range(count):
        unit = width >> PRECISION
        place = left // unit
        symbol = max(s for s in range(len(cdf) - 1) if cdf[s] <= place)
        symbols.append(symbol)
        left -= unit * cdf[symbol]
        width = unit * (cdf[symbol + 1] - cdf[symbol])
        if width < 2**32:
            left, width = left << 32 | (words.pop(0) if words else 0), width << 32
    return symbols


def test_the_coder_uses_exactly_the_tables_counts(random_tables: ProbabilityTables) -> None:
    random = np.random.default_rng(0)
    for row, size, model in zip(
        random_tables.cdf, random_tables.size, random_tables.models, strict=True
    ):
        cdf = row[: size + 1]
        # The edges of each interval would show a boundary that is off by one count.
        symbols = random.permutation(np.repeat(np.arange(size), 1 + 60 // size)).astype(np.int32)
        coder = constriction.stream.queue.RangeEncoder()
        coder.encode(symbols, model)
        words = coder.get_compressed().tolist()
        assert range_decoded(words, cdf.tolist(), len(symbols)) == symbols.tolist()


def test_each_boundary_lies_where_the_table_says(random_tables: ProbabilityTables) -> None:
    # A stream of one symbol's interval alone: its first word is the interval's place.
    for row, size, model in zip(
        random_tables.cdf, random_tables.size, random_tables.models, strict=True
    ):
        for symbol in range(0, int(size), max(1, int(size) // 50)):
            unit = (2**64 - 1) >> PRECISION
            low, high = (int(row[symbol + step]) * unit for step in (0, 1))
            for inside in (low, high - 1):
                words = np.array([inside >> 32, inside & 2**32 - 1], np.uint32)
                coder = constriction.stream.queue.RangeDecoder(words)
                assert coder.decode(model, 1)[0] == symbol


def test_bits_are_those_of_the_counts(random_tables: ProbabilityTables) -> None:
    for row, size, bits in zip(
        random_tables.cdf, random_tables.size, random_tables.bits, strict=True
    ):
        counts = np.diff(row[: size + 1])
        np.testing.assert_allclose(2.0 ** -bits[:size].astype(float), counts / 2**24, rtol=1e-4)
        assert np.isinf(bits[size:]).all()
    assert (random_tables.least_bits <= random_tables.bits.min(axis=1)).all()


@pytest.mark.parametrize(
    ("cdf", "size", "offset", "said"),
    [
        ([[0, 5, 5, 2**24]], [3], [0], "rise"),
        ([[0, 9, 5, 2**24]], [3], [0], "rise"),
        ([[1, 5, 9, 2**24]], [3], [0], "rise"),
        ([[0, 5, 9, 2**23]], [3], [0], "rise"),
        ([[0, 5, 9, 2**24]], [4], [0], "symbols"),
        ([[0, 5, 9, 2**24]], [1], [0], "symbols"),
        ([[0, 5, 9, 2**24]], [3], [2**30], "farther"),
        ([[0, 5, 9, 2**24]], [3], [0, 1], "belong"),
        ([[0, 5, 9, 2.0**24]], [3], [0], "integers"),
    ],
)
def test_what_is_no_table_is_refused(cdf: list, size: list, offset: list, said: str) -> None:
    with pytest.raises(PackageError, match=said):
        ProbabilityTables(np.array(cdf), np.array(size), np.array(offset))


def test_rows_that_are_stored_in_one_come_apart() -> None:
    first, second = [0, 5, 9, 2**24], [0, 2**24]
    found = padded_rows(np.array([*first, *second]), np.array([3, 1]))
    np.testing.assert_array_equal(found, [first, [*second, 0, 0]])


@pytest.mark.parametrize(
    ("counts", "size"),
    [(5, [3, 1]), (7, [3, 1]), (0, []), (3, [[2]]), (2, [0, -1]), (3, [2.0])],
)
def test_what_is_not_as_long_as_its_rows_is_refused(counts: int, size: list) -> None:
    with pytest.raises(PackageError, match="have"):
        padded_rows(np.zeros(counts, np.int64), np.array(size))


def test_rows_whose_padding_would_not_fit_into_memory_are_refused() -> None:
    size = np.array([2**16, *[1] * 2**10])
    with pytest.raises(PackageError, match="tables"):
        padded_rows(np.zeros(int((size + 1).sum()), np.uint8), size)
