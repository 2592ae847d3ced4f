from collections.abc import Sequence
from dataclasses import replace

import constriction
import numpy as np
import pytest

from cytopress.errors import CorruptDataError, PackageError
from cytopress.kernels import paths, threads
from cytopress.kernels.rans import LanesDecoder, encode
from cytopress.kernels.rans_tables import ESCAPE, PIECE, RansTables

pytestmark = pytest.mark.both_numpy
TOTAL = 2**24


def tables(sizes: Sequence[int], seed: int = 0) -> RansTables:
    """Return random tables with these numbers of symbols: some of them unlikely."""
    random = np.random.default_rng(seed)
    cdf = np.full((len(sizes), max(sizes) + 1), TOTAL, np.uint32)
    for row, size in zip(cdf, sizes, strict=True):
        shares = random.exponential(1, size) ** 4
        counts = 1 + np.floor(shares / shares.sum() * (TOTAL - size)).astype(np.int64)
        counts[counts.argmax()] += TOTAL - counts.sum()
        row[: size + 1] = np.concatenate([[0], np.cumsum(counts)])
    offset = random.integers(-300, 300, len(sizes)).astype(np.int32)
    return RansTables(cdf, np.array(sizes, np.int32), offset)


def drawn(of: RansTables, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return symbols as their tables expect them, and their rows."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, len(of.size), count).astype(np.uint8)
    slots = random.integers(0, TOTAL, count)
    symbols = [
        np.searchsorted(of.cdf[r], s, side="right") - 1 for r, s in zip(rows, slots, strict=True)
    ]
    return np.array(symbols, np.uint16), rows


def values_of(of: RansTables, symbols: np.ndarray, rows: np.ndarray) -> np.ndarray:
    values = symbols.astype(np.int64) + of.offset[rows]
    values[symbols == of.size[rows] - 1] = ESCAPE
    return values


@pytest.mark.parametrize("lanes", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("count", [0, 1, 7, 3000])
def test_symbols_come_back(path: str, lanes: int, count: int) -> None:
    of = tables([2, 3, 40, 1000, 2])
    calls = [(*drawn(of, count, seed), of) for seed in (1, 2)]
    words = encode(calls, lanes)
    for number in (1, 3):
        decoder = LanesDecoder(words)
        for symbols, rows, _ in calls:
            with threads.using(number):
                values, escapes = decoder.decode(rows, of)
            np.testing.assert_array_equal(values, values_of(of, symbols, rows))
            np.testing.assert_array_equal(escapes, np.flatnonzero(symbols == of.size[rows] - 1))
        assert decoder.exhausted()


def test_each_lane_is_what_constriction_makes_of_its_share(path: str) -> None:
    """Symbols sorted by table, a share of each table's for each lane, in Python's own order."""
    of, lanes = tables([5, 30, 2]), 3
    symbols, rows = drawn(of, 500)
    order = sorted(range(500), key=lambda place: rows[place])
    coders = [constriction.stream.stack.AnsCoder() for _ in range(lanes)]
    for row in (2, 1, 0):
        places = [place for place in order if rows[place] == row]
        counts = np.diff(of.cdf[row, : of.size[row] + 1].astype(np.int64))
        model = constriction.stream.model.Categorical(
            (counts - 1).astype(np.float32), perfect=False
        )
        for lane, coder in enumerate(coders):
            share = places[len(places) * lane // lanes : len(places) * (lane + 1) // lanes]
            for place in reversed(share):
                coder.encode_reverse(int(symbols[place]), model)
    for words, coder in zip(encode([(symbols, rows, of)], lanes), coders, strict=True):
        np.testing.assert_array_equal(words, coder.get_compressed())


def test_pieces_are_sorted_on_their_own(path: str) -> None:
    """One symbol more than a piece: the last one is coded behind all others."""
    count = PIECE + 1
    of = tables([3, 4])
    rows = (np.arange(count) % 2).astype(np.uint8)
    symbols = (np.arange(count) // 7 % 3).astype(np.uint16)
    words = encode([(symbols, rows, of)], 2)
    apart = encode([(symbols[:-1], rows[:-1], of), (symbols[-1:], rows[-1:], of)], 2)
    for one, other in zip(words, apart, strict=True):
        np.testing.assert_array_equal(one, other)
    values, _ = LanesDecoder(words).decode(rows, of)
    np.testing.assert_array_equal(values, values_of(of, symbols, rows))


def test_every_path_gives_the_same_words() -> None:
    of = tables([2, 70, 9])
    calls = [(*drawn(of, 5000), of)]
    found = []
    for path in paths.available():
        with paths.using(path):
            found.append(np.concatenate(encode(calls, 8)))
    for words in found[:-1]:
        np.testing.assert_array_equal(words, found[-1])


def test_probabilities_take_what_they_should(path: str) -> None:
    of = tables([30, 4])
    symbols, rows = drawn(of, 20_000)
    counts = np.diff(of.cdf.astype(np.int64), axis=1)[rows, symbols]
    bits = -np.log2(counts / TOTAL).sum()
    for lanes in (1, 16):
        size = 32 * sum(map(len, encode([(symbols, rows, of)], lanes)))
        assert bits - 64 * lanes < size < bits * 1.0001 + 64 * lanes


@pytest.mark.parametrize("seed", range(5))
def test_garbage_decodes_alike_on_every_path(seed: int) -> None:
    random = np.random.default_rng(seed)
    of = tables([2, 90, 5])
    rows = random.integers(0, 3, 4000).astype(np.uint8)
    lengths = random.integers(0, 40, random.integers(1, 17))
    words = [random.integers(1, 2**32, length).astype(np.uint32) for length in lengths]
    found = []
    for path in paths.available():
        with paths.using(path):
            decoder = LanesDecoder(words)
            found.append((decoder.decode(rows, of)[0], decoder.exhausted()))
    for values, exhausted in found[:-1]:
        np.testing.assert_array_equal(values, found[-1][0])
        assert exhausted == found[-1][1]


def test_what_is_cut_off_is_noticed(path: str) -> None:
    of = tables([30, 4])
    symbols, rows = drawn(of, 3000)
    words = encode([(symbols, rows, of)], 2)
    for cut in (words[0][:-1], words[0][1:], np.append(words[0], np.uint32(5))):
        decoder = LanesDecoder([cut, words[1]])
        decoder.decode(rows, of)
        assert not decoder.exhausted()
    with pytest.raises(CorruptDataError, match="word of 0"):
        LanesDecoder([np.append(words[0], np.uint32(0)), words[1]])


def test_symbols_and_rows_that_do_not_exist_are_refused(path: str) -> None:
    of = tables([3, 4])
    one = np.ones(1, np.uint8)
    with pytest.raises(ValueError, match="not in its table"):
        encode([(np.array([4], np.uint16), one, of)], 1)
    with pytest.raises(ValueError, match="not one of 2"):
        encode([(np.array([0], np.uint16), 2 * one, of)], 1)
    with pytest.raises(ValueError, match="not one of 2"):
        LanesDecoder([np.array([7], np.uint32)]).decode(2 * one, of)


def test_tables_that_are_none_are_refused() -> None:
    of = tables([3, 4])
    for row, column, value in ((0, 1, 0), (0, 2, TOTAL), (1, 0, 1), (0, 4, 7), (1, 4, TOTAL - 1)):
        cdf = of.cdf.copy()
        cdf[row, column] = value
        with pytest.raises(PackageError, match="does not rise"):
            replace(of, cdf=cdf)
    with pytest.raises(PackageError, match="up to"):
        replace(of, size=np.array([3, 2**16 + 1], np.int32))
    with pytest.raises(PackageError, match="up to"):
        replace(of, size=np.array([1, 4], np.int32))
    with pytest.raises(PackageError, match="up to"):
        RansTables(np.zeros((0, 3), np.uint32), np.zeros(0, np.int32), np.zeros(0, np.int32))


@pytest.mark.slow
def test_ten_million_symbols_agree_on_every_path() -> None:
    random = np.random.default_rng()
    of = tables(random.integers(2, 300, 56).tolist(), 3)
    rows = np.minimum(random.exponential(6, 10**7), 55).astype(np.uint8)
    words = [random.integers(1, 2**32, 10**6).astype(np.uint32) for _ in range(8)]
    found = []
    for path in paths.available():
        with paths.using(path), threads.using(2):
            found.append(LanesDecoder(words).decode(rows, of)[0])
    for values in found[:-1]:
        np.testing.assert_array_equal(values, found[-1])


@pytest.mark.parametrize("number", [2, 3])
def test_pieces_that_threads_sort_together_decode_alike(number: int) -> None:
    """Escapes among them, in some of the pieces."""
    count = 3 * PIECE + 5
    of = tables([3, 4])
    rows = (np.arange(count) // 5 % 2).astype(np.uint8)
    symbols = (np.arange(count) // 7 % 2).astype(np.uint16)
    escaped = np.array([7, PIECE - 1, PIECE, count - 1])
    symbols[escaped] = (of.size - 1)[rows[escaped]]
    words = encode([(symbols, rows, of)], 4)
    with threads.using(number):
        decoder = LanesDecoder(words)
        values, places = decoder.decode(rows, of)
    expected = values_of(of, symbols, rows)
    expected[escaped] = values[escaped]
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(places, escaped)
    assert (values[escaped] == -(2**31)).all()
    assert decoder.exhausted()
