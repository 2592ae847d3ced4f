import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cytopress.codecs.learned.entropy import rans_coder
from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.rans_coder import (
    MOST_VALUE,
    RansDecoder,
    RansEncoder,
)
from cytopress.errors import CorruptDataError
from cytopress.kernels import paths, threads
from cytopress.kernels.rans_tables import MOST_LANES

pytestmark = pytest.mark.both_numpy
TOTAL = 2**24
TABLES = ProbabilityTables(
    np.array([[0, 5, 100, TOTAL - 9, TOTAL, 0], [0, 2**22, 2**23, 2**23 + 1, TOTAL - 1, TOTAL]]),
    np.array([4, 5]),
    np.array([-1, 3]),
)


def coded(*calls: tuple[np.ndarray, np.ndarray]) -> bytes:
    encoder = RansEncoder()
    for values, rows in calls:
        encoder.encode(values, rows, TABLES)
    return encoder.bytes()


def drawn(count: int, most: int = 9, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    values = random.integers(-most, most, count, endpoint=True).astype(np.int32)
    return values, random.integers(0, 2, count).astype(np.uint8)


def on_every_path(function):
    """Return what a function gives on every path, which must be one value."""
    found = []
    for path in paths.available():
        with paths.using(path):
            found.append(function())
    assert all(value == found[0] for value in found)
    return found[0]


@settings(max_examples=60)
@given(data=st.data())
def test_any_integers_come_back(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 200))
    values = data.draw(
        arrays.arrays(np.int32, count, elements=st.integers(-MOST_VALUE, MOST_VALUE))
        | arrays.arrays(np.int32, count, elements=st.integers(-30, 30))
    )
    rows = data.draw(arrays.arrays(np.uint8, count, elements=st.integers(0, 1)))
    stream = on_every_path(lambda: coded((values, rows)))
    for path in paths.available():
        with paths.using(path):
            decoder = RansDecoder(stream)
            np.testing.assert_array_equal(decoder.decode(rows, TABLES), values)
            decoder.finish()


@pytest.mark.parametrize("most", [0, 5, MOST_VALUE])
def test_several_calls_share_one_stream(most: int) -> None:
    calls = [drawn(count, most, count) for count in (0, 1, 3000, 17)]
    stream = on_every_path(lambda: coded(*calls))
    for path in paths.available():
        for number in (1, 2):
            with paths.using(path), threads.using(number):
                decoder = RansDecoder(stream)
                for values, rows in calls:
                    np.testing.assert_array_equal(decoder.decode(rows, TABLES), values)
                decoder.finish()


def test_nothing_is_a_stream_of_one_byte() -> None:
    assert coded() == b"\x01"
    RansDecoder(b"\x01").finish()


def test_streams_have_lanes_by_their_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rans_coder, "PER_LANE", 10)
    for count, lanes in (
        (19, 1),
        (20, 2),
        (79, 4),
        (80, 8),
        (159, 8),
        (160, 16),
        (9000, MOST_LANES),
    ):
        values = np.ones(count, np.int32)
        rows = np.zeros(count, np.uint8)
        stream = coded((values, rows), (0 * values, rows))
        assert stream[0] == lanes
        np.testing.assert_array_equal(RansDecoder(stream).decode(rows, TABLES), values)


def test_bytes_are_those_of_the_probabilities() -> None:
    random = np.random.default_rng(2)
    rows = np.ones(60_000, np.uint8)
    slots = random.integers(0, TOTAL - 1, len(rows))
    values = (np.searchsorted(TABLES.cdf[1], slots, side="right") + 2).astype(np.int32)
    bits = TABLES.bits[1, values - 3].sum(dtype=np.float64)
    stream = coded((values, rows))
    assert stream[0] == 8
    # 8 lanes: their last words and their numbers of words.
    assert bits <= 8 * len(stream) + 64 * 8
    assert 8 * len(stream) < bits * 1.0001 + 8 * 64


def outcome(stream: bytes, rows: np.ndarray) -> str:
    """Return what decoding gives: the error's sentence, or its numbers."""
    try:
        decoder = RansDecoder(stream)
        values = decoder.decode(rows, TABLES).tobytes()
        decoder.finish()
    except CorruptDataError as error:
        return str(error)
    return values.hex()


def test_damage_ends_in_one_error() -> None:
    """Cut, lengthened or changed streams: one error, or other numbers where they end as well."""
    values, rows = drawn(500, 40)
    stream, random = coded((values, rows)), np.random.default_rng(1)
    damaged = [stream[:cut] for cut in range(0, len(stream), 7)] + [stream + bytes(4)]
    for _ in range(100):
        other = bytearray(stream)
        other[random.integers(len(other))] ^= 1 << int(random.integers(8))
        damaged.append(bytes(other))
    right = outcome(stream, rows)
    for each in damaged:
        assert on_every_path(lambda each=each: outcome(each, rows)) != right


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_end_in_one_error(seed: int) -> None:
    random = np.random.default_rng(seed)
    _, rows = drawn(2000)
    for _ in range(30):
        garbage = random.bytes(int(random.integers(0, 300)))
        for stream in (garbage, b"\x01" + garbage[: len(garbage) // 4 * 4], b"\x02\x03" + garbage):
            on_every_path(lambda stream=stream: outcome(stream, rows))


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"", "ends early"),
        (b"\x00", "0 lanes"),
        (b"\x11", "17 lanes"),
        (b"\x01\x05", "not the words"),
        (b"\x02\x02" + bytes(4), "not the words"),
        (b"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + bytes(4), "not the words"),
        (b"\x01" + bytes(4), "word of 0"),
    ],
)
def test_streams_that_are_none_are_refused(stream: bytes, words: str) -> None:
    with pytest.raises(CorruptDataError, match=words):
        RansDecoder(stream)


def test_what_is_left_over_is_refused() -> None:
    first, second = drawn(100), drawn(50)
    decoder = RansDecoder(coded(first, second))
    decoder.decode(first[1], TABLES)
    with pytest.raises(CorruptDataError, match="do not end where their bytes end"):
        decoder.finish()
