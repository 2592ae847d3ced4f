"""Sines, sums of cosines and layers are the same whole numbers on every machine."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy.fft import idct

from cytopress.codecs.periodic_noise.layer import (
    MOST_COUNTS,
    NYQUIST,
    Layer,
    Line,
    cosine_sums,
    rounded,
    rounded_step,
)
from cytopress.codecs.periodic_noise.sines import ENTRIES, FRACTION, cosine, cosines, sine
from cytopress.errors import CorruptDataError

pytestmark = pytest.mark.both_numpy

# Written once: bytes are decoded with them for ever.
TABLE, VALUES = "a9e75b5263c94d36", "c230f6a4330e754e"


def line(seed: int, rows: int, along: int = 1, frequency: float = 0.2149) -> Line:
    rng = np.random.default_rng(seed)
    parts = rng.laplace(0, 30, (min(rows, 20), 2)) * np.exp(-np.arange(min(rows, 20)) / 5)[:, None]
    numbers = np.rint(parts).astype(np.int64)
    if frequency in (0, 0.5):
        numbers[:, 1] = 0
    return Line(along, rounded(frequency, 64), rounded(0.37, rows), -5, numbers)


def test_the_table_is_the_cosine_rounded_to_whole_numbers() -> None:
    exact = np.cos(2 * np.pi * np.arange(ENTRIES) / ENTRIES) * 2**FRACTION
    # No entry lies so near to a half that float64 would round it the other way.
    np.testing.assert_array_equal(cosines(), np.rint(exact))
    digest = hashlib.sha256(cosines().astype("<i4").tobytes()).hexdigest()
    assert digest[:16] == TABLE


def test_phases_of_any_size_and_sign_fall_on_the_table() -> None:
    phase = np.random.default_rng(0).integers(-(2**62), 2**62, 1000)
    turns = (phase % 2**32) / 2**32
    assert np.abs(cosine(phase) / 2**FRACTION - np.cos(2 * np.pi * turns)).max() < 1e-3
    assert np.abs(sine(phase) / 2**FRACTION - np.sin(2 * np.pi * turns)).max() < 1e-3


@pytest.mark.parametrize("length", [1, 2, 17, 100, 257])
def test_sums_of_cosines_are_an_inverse_dct(length: int) -> None:
    numbers = np.random.default_rng(length).integers(-50, 50, (min(length, 30), 2))
    padded = np.zeros((length, 2))
    padded[: len(numbers)] = numbers
    wanted = idct(padded, axis=0, norm="ortho") * np.sqrt(length / 2)
    found = cosine_sums(numbers, length) / 2**FRACTION
    assert np.abs(found - wanted).max() < 1e-3 * np.abs(numbers).sum()


@pytest.mark.parametrize("frequency", [0.2149, 0.0, 0.5])
@pytest.mark.parametrize("along", [0, 1])
def test_a_layer_is_the_wave_that_its_numbers_say(along: int, frequency: float) -> None:
    shape = (90, 130)
    rows, length = shape[1 - along], shape[along]
    one = line(3, rows, along, frequency)
    layer = Layer(shape, rounded_step(0.02), (one,))
    padded = np.zeros((rows, 2))
    padded[: len(one.cosines)] = one.cosines * layer.step / 2**16
    parts = idct(padded, axis=0, norm="ortho") * np.sqrt(rows / 2)
    y, x = np.arange(rows), np.arange(length) - length // 2
    turns = y * one.carrier / 2**20 + one.chirp / 4 * (y / rows) ** 2
    carrier = np.ones(rows) if one.real else np.exp(2j * np.pi * turns)
    amplitude = (parts[:, 0] + 1j * parts[:, 1]) * carrier
    wave = (amplitude[:, None] * np.exp(2j * np.pi * one.frequency / 2**20 * x)).real
    wanted = wave if along else wave.T
    assert wanted.std() > 0.1
    np.testing.assert_allclose(layer.values(8) / 2**8, wanted, atol=0.01 * np.abs(wanted).max())
    # Fewer fractional bits are the same plane, rounded.
    assert np.abs(layer.values(0) - wanted).max() <= 0.5 + 0.01 * np.abs(wanted).max()


def test_a_layer_has_the_same_values_as_ever() -> None:
    layer = Layer((90, 130), 1536, (line(1, 90), line(2, 130, 0), line(4, 90, 1, 0.0)))
    digest = hashlib.sha256(layer.values(4).astype("<i4").tobytes()).hexdigest()
    assert digest[:16] == VALUES


def test_the_largest_layer_is_exact_in_float64() -> None:
    # The sum of all waves in the order of a matrix product, and in Python's integers.
    most = MOST_COUNTS << 16
    numbers = np.array([[most // 2, most // 2]])
    lines = tuple(Line(1, rounded(f, 32), 0, 0, numbers) for f in np.linspace(0.1, 0.4, 64))
    layer = Layer((4, 32), 1, lines)
    down, across = (np.concatenate(side, axis=1) for side in zip(*layer._sides(), strict=True))
    exact = [
        sum(int(a) * int(b) for a, b in zip(row, column, strict=True))
        for row in down
        for column in across
    ]
    assert max(map(abs, exact)) > 2**45
    assert (down @ across.T).ravel().tolist() == [float(one) for one in exact]
    assert sum(abs(float(a)) for a in down[0]) * 2**FRACTION < 2**53


def test_what_is_too_large_or_too_much_is_refused() -> None:
    big = Line(1, 1000, 0, 0, np.array([[2**32, 1]]))
    many = Line(1, 1000, 0, 0, np.zeros((2**15 + 1, 2), np.int64))
    for lines in ((big,), (many,), (line(0, 8),) * 65):
        with pytest.raises(CorruptDataError, match="structured noise"):
            Layer((2**16, 2**10), 1, lines)


def test_nyquist_is_half_a_turn() -> None:
    assert rounded(0.5, 100) == NYQUIST
    assert line(0, 8, 1, 0.5).real
