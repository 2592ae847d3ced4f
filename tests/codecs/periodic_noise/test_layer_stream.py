"""Layers come back from their bytes; crafted bytes end in one error, soon."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytopress.codecs.periodic_noise.binary_coder import BinaryDecoder, BinaryEncoder
from cytopress.codecs.periodic_noise.layer import Layer, Line, rounded, rounded_step
from cytopress.codecs.periodic_noise.layer_stream import pack_layer, take_layer
from cytopress.errors import CorruptDataError
from cytopress.kernels import paths

SHAPE = (96, 128)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    along = draw(st.integers(0, 1))
    rows = SHAPE[1 - along]
    frequency = rounded(draw(st.sampled_from([0, 0.5]) | st.floats(0, 0.5)), SHAPE[along])
    values = st.integers(-3, 3) | st.integers(-3000, 3000)
    numbers = np.array(draw(st.lists(st.tuples(values, values), max_size=rows)), np.int64)
    numbers = numbers.reshape(-1, 2)
    carrier = rounded(draw(st.floats(0, 0.99)), rows) % 2**20
    chirp = draw(st.integers(-64, 64))
    if frequency in (0, 2**19):
        numbers[:, 1] = carrier = chirp = 0
    return Line(along, frequency, carrier, chirp, numbers)


@settings(max_examples=60, deadline=None)
@given(st.lists(lines(), min_size=1, max_size=5), st.floats(1e-4, 0.1))
def test_a_layer_comes_back(some: list[Line], step: float) -> None:
    layer = Layer(SHAPE, rounded_step(step), tuple(some))
    found = take_layer(pack_layer(layer), SHAPE)
    assert found.step == layer.step
    assert len(found.lines) == len(some)
    for one, other in zip(found.lines, some, strict=True):
        for name in ("along", "frequency", "carrier", "chirp"):
            assert getattr(one, name) == getattr(other, name), name
        np.testing.assert_array_equal(one.cosines, other.cosines)


def test_no_lines_take_no_bytes() -> None:
    assert pack_layer(Layer(SHAPE, 1, ())) == b""
    assert take_layer(b"", SHAPE).lines == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**30), st.booleans()), max_size=200))
def test_numbers_come_back_and_nothing_is_left(given_numbers: list[tuple[int, bool]]) -> None:
    encoder = BinaryEncoder()
    for value, bit in given_numbers:
        encoder.number(value, "n")
        encoder.bit(bit, "b")
        encoder.raw(value & 7, 3)
    stream = encoder.bytes()
    decoder = BinaryDecoder(stream)
    for value, bit in given_numbers:
        assert (decoder.number(0, "n"), decoder.bit(0, "b")) == (value, bit)
        assert decoder.raw(0, 3) == value & 7
    decoder.finish()


def test_rare_decisions_cost_little() -> None:
    encoder = BinaryEncoder()
    for n in range(2000):
        encoder.bit(n % 100 == 0, "rare")
    # The entropy of one in a hundred is 0.081 bits.
    assert len(encoder.bytes()) < 2000 * 0.081 / 8 * 1.4


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_any_bytes_are_a_layer_or_one_error(stream: bytes) -> None:
    begin = time.perf_counter()
    with contextlib.suppress(CorruptDataError):
        take_layer(stream, SHAPE).values(4)
    assert time.perf_counter() - begin < 5


def test_bytes_behind_a_layer_and_missing_ones_are_told() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(-9, 9, (60, 2))
    stream = pack_layer(Layer(SHAPE, 16, (Line(1, rounded(0.2, 128), 0, 0, numbers),)))
    with pytest.raises(CorruptDataError, match="followed by"):
        take_layer(stream + b"12345", SHAPE)
    with pytest.raises(CorruptDataError, match="ends early"):
        take_layer(stream[:20], SHAPE)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_crafted_bytes_end_alike_on_every_path(stream: bytes) -> None:
    found = []
    for path in (paths.available()[0], paths.NUMPY):
        with paths.using(path):
            try:
                layer = take_layer(stream, SHAPE)
                found.append([line.cosines.tolist() for line in layer.lines])
            except CorruptDataError as error:
                found.append(str(error))
    assert found[0] == found[1]


@settings(max_examples=30, deadline=None)
@given(st.lists(lines(), min_size=1, max_size=5))
def test_every_path_decodes_the_same_cosines(some: list[Line]) -> None:
    stream = pack_layer(Layer(SHAPE, 3, tuple(some)))
    for path in (paths.available()[0], paths.NUMPY):
        with paths.using(path):
            found = take_layer(stream, SHAPE)
        for one, other in zip(found.lines, some, strict=True):
            np.testing.assert_array_equal(one.cosines, other.cosines)
