import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.range_coder import MOST_VALUE, RangeDecoder, RangeEncoder
from cytopress.errors import CorruptDataError

pytestmark = pytest.mark.both_numpy


def coded(values: np.ndarray, rows: np.ndarray, tables: ProbabilityTables) -> bytes:
    encoder = RangeEncoder()
    encoder.encode(values, rows, tables)
    return encoder.bytes()


def drawn(count: int, tables: ProbabilityTables, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return values as their tables expect them, without escapes, and their rows."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, len(tables), count).astype(np.uint8)
    values = np.empty(count, np.int32)
    for row in range(len(tables)):
        held = rows == row
        counts = np.diff(tables.cdf[row, : tables.size[row] + 1]).astype(float)
        counts[-1] = 0
        symbols = random.choice(len(counts), held.sum(), p=counts / counts.sum())
        values[held] = symbols + tables.offset[row]
    return values, rows


@settings(max_examples=60)
@given(data=st.data())
def test_any_integers_come_back(random_tables: ProbabilityTables, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 200))
    values = data.draw(
        arrays.arrays(np.int32, count, elements=st.integers(-MOST_VALUE, MOST_VALUE))
        | arrays.arrays(np.int32, count, elements=st.integers(-30, 30))
    )
    rows = data.draw(
        arrays.arrays(np.uint8, count, elements=st.integers(0, len(random_tables) - 1))
    )
    stream = coded(values, rows, random_tables)
    decoder = RangeDecoder(stream)
    np.testing.assert_array_equal(decoder.decode(rows, random_tables), values)
    decoder.finish()


def test_several_puts_share_one_stream(random_tables: ProbabilityTables) -> None:
    first, second = (drawn(500, random_tables, seed) for seed in (1, 2))
    first[0][7] = 123_456
    encoder = RangeEncoder()
    for values, rows in (first, second):
        encoder.encode(values, rows, random_tables)
    decoder = RangeDecoder(encoder.bytes())
    for values, rows in (first, second):
        np.testing.assert_array_equal(decoder.decode(rows, random_tables), values)


def test_bytes_are_within_a_percent_of_the_entropy(random_tables: ProbabilityTables) -> None:
    values, rows = drawn(100_000, random_tables)
    counts = np.diff(random_tables.cdf, axis=1)[rows, values - random_tables.offset[rows]]
    entropy = -np.log2(counts / 2**24).sum() / 8
    spent = len(coded(values, rows, random_tables))
    assert entropy - 8 <= spent <= 1.01 * entropy + 8


def test_an_escape_costs_twice_its_bits(random_tables: ProbabilityTables) -> None:
    values, rows = drawn(1000, random_tables)
    before = len(coded(values, rows, random_tables))
    row = int(rows[0])
    values[0] = int(random_tables.offset[row] + random_tables.size[row]) + 2**20
    escape = 24 - np.log2(np.diff(random_tables.cdf[row])[random_tables.size[row] - 1])
    spent = 8 * (len(coded(values, rows, random_tables)) - before)
    assert spent <= escape + 2 * 22 + 64


@settings(max_examples=150)
@given(stream=st.binary(max_size=400))
def test_any_bytes_are_integers_or_corrupt(random_tables: ProbabilityTables, stream: bytes) -> None:
    rows = np.arange(300, dtype=np.int64).astype(np.uint8) % len(random_tables)
    try:
        values = RangeDecoder(stream).decode(rows, random_tables)
    except CorruptDataError:
        return
    assert values.shape == (300,)
    assert np.abs(values.astype(np.int64)).max() <= MOST_VALUE


def test_a_stream_too_short_for_its_integers_is_refused_before_decoding(
    random_tables: ProbabilityTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, rows = drawn(20_000, random_tables)
    stream = coded(values, rows, random_tables)
    monkeypatch.setattr(RangeDecoder, "_symbols", None)
    with pytest.raises(CorruptDataError, match="early"):
        RangeDecoder(stream[: len(stream) // 40 * 4]).decode(rows, random_tables)


def test_bytes_behind_the_last_integer_are_refused(random_tables: ProbabilityTables) -> None:
    values, rows = drawn(1000, random_tables)
    decoder = RangeDecoder(coded(values, rows, random_tables) + bytes(range(1, 41)))
    decoder.decode(rows, random_tables)
    with pytest.raises(CorruptDataError, match="do not belong to them"):
        decoder.finish()


def test_words_are_whole() -> None:
    with pytest.raises(CorruptDataError, match="7 bytes"):
        RangeDecoder(bytes(7))
