"""Numbers and texts come back as they went in, and bytes that are none are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytopress.codecs.container.wire import (
    Reader,
    join_streams,
    put_decimal,
    put_signed,
    put_text,
    put_varint,
    split_streams,
    split_views,
    take_varints,
    varints,
)
from cytopress.errors import CorruptDataError


@given(st.integers(0, 2**64 - 1))
def test_varint_is_leb128(value: int) -> None:
    out = bytearray()
    put_varint(out, value)
    # Independent of the reader: the definition of LEB128.
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(out)) == value
    assert [byte >> 7 for byte in out] == [1] * (len(out) - 1) + [0]
    reader = Reader(bytes(out))
    assert (reader.varint(), reader.left) == (value, 0)


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_comes_back(value: int) -> None:
    out = bytearray()
    put_signed(out, value)
    assert Reader(bytes(out)).signed() == value
    assert len(out) == 1 or not -64 <= value < 64


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimal_comes_back_exactly(value: float) -> None:
    out = bytearray()
    put_decimal(out, value)
    assert Reader(bytes(out)).decimal() == value


@pytest.mark.parametrize(
    ("value", "size"), [(0.108333, 4), (0.65, 3), (0.5, 2), (40.0, 2), (268.893, 4)]
)
def test_decimals_that_people_write_are_short(value: float, size: int) -> None:
    out = bytearray()
    put_decimal(out, value)
    assert len(out) == size


@given(st.text())
def test_text_comes_back(text: str) -> None:
    out = bytearray()
    put_text(out, text)
    reader = Reader(bytes(out))
    assert (reader.text(), reader.left) == (text, 0)


@given(st.lists(st.binary(max_size=300)))
def test_streams_come_back(streams: list[bytes]) -> None:
    joined = join_streams(streams)
    assert split_streams(joined, len(streams)) == streams
    for wrong in (joined + b"\0", joined[:-1]):
        if wrong:
            with pytest.raises(CorruptDataError):
                split_streams(wrong, len(streams))


def test_a_crafted_count_of_streams_is_refused_at_once() -> None:
    with pytest.raises(CorruptDataError, match="promised"):
        split_streams(b"\0\0", 2**60)


def test_side_information_of_wrappers() -> None:
    stream = varints(5, 300) + b"rest"
    values, start = take_varints(stream, 2)
    assert (values, stream[start:]) == ([5, 300], b"rest")


@given(st.binary(max_size=24))
def test_any_bytes_give_a_value_or_a_clear_error(data: bytes) -> None:
    for take in (Reader.varint, Reader.signed, Reader.decimal, Reader.text):
        reader = Reader(data)
        error: CorruptDataError | None = None
        try:
            take(reader)
        except CorruptDataError as caught:
            error = caught
        assert error is None or str(error).endswith(".")
        assert 0 <= reader.position <= len(data)


@pytest.mark.parametrize("value", [-1, 2**64])
def test_what_is_no_varint_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="varint"):
        put_varint(bytearray(), value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        put_decimal(bytearray(), value)


def test_views_are_of_the_bytes_themselves() -> None:
    joined = join_streams([b"one", b"", b"three"])
    views = split_views(memoryview(joined), 3)
    assert [bytes(view) for view in views] == [b"one", b"", b"three"]
    assert all(view.obj is joined for view in views)
