"""Layer of periodic noise: waves along rows or columns with drifting amplitudes, in integers.

A wave along x has one frequency in all rows. Its complex amplitude follows the rows as a carrier,
whose phase is a polynomial of the row, times a sum of few cosines (a DCT). At frequency 0 this is
row noise. A wave along y is the same of the transposed plane.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.codecs.periodic_noise.sines import (
    ENTRIES,
    FRACTION,
    TURN_BITS,
    cosine,
    cosines,
    sine,
)
from cytopress.errors import CorruptDataError
from cytopress.kernels.cosine_sums import cosine_sums as kernel
from cytopress.kernels.threads import in_spans

Integers = npt.NDArray[np.int64]
Wholes = npt.NDArray[np.float64]
# Frequencies and carriers are in units of 2 ** -20 turns a pixel, steps of 2 ** -16 counts.
FREQUENCY_BITS, STEP_BITS = 20, 16
NYQUIST = 1 << FREQUENCY_BITS - 1
# Fractional bits of an amplitude in counts, and of the finest plane.
AMPLITUDE_BITS, FINEST = 12, 8
# Bounds that keep every sum below 2 ** 53.
MOST_LINES, MOST_COUNTS, MOST_CHIRP = 64, 2**16, 2**12
# Bounds on the time of a crafted stream: cosines of all lines, and those times rows for each pixel.
MOST_PARTS, MOST_WORK, SMALL = 2**15, 8, 2**16
# Half of a cosine's energy is at frequency 0: its entry is 2 ** -1/2.
CONSTANT = 11585
# Pixels that are added up at once.
BAND = 2**16
# A frequency and a carrier are as fine as this share of a turn over the plane's length.
FINENESS_BITS = 3
# Digits of a step, and those of the places by which it is shifted.
MANTISSA_BITS, SHIFT_BITS = 4, 5


@dataclass(frozen=True, eq=False)
class Line:
    """One wave.

    Parameters
    ----------
    along : {0, 1}
        The axis along which it oscillates: 1 for x, so that each row has an amplitude of its own.
    frequency : int
        Turns a pixel, from 0 to `NYQUIST`.
    carrier : int
        Turns from one row to the next, modulo 1.
    chirp : int
        Quarter turns by which the carrier's phase is ahead of a straight line at the end, following
        the square of the row.
    cosines : ndarray
        (K, 2) integers: real and imaginary part of the amplitude's cosines, in steps.
    """

    along: int
    frequency: int
    carrier: int
    chirp: int
    cosines: Integers

    @property
    def real(self) -> bool:
        """Whether the wave has no imaginary part: constant, or alternating."""
        return self.frequency in (0, NYQUIST)


@dataclass(frozen=True, eq=False)
class Layer:
    """Periodic noise of a plane.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the plane.
    step : int
        Quantization step of the cosines, in units of ``2 ** -STEP_BITS`` counts.
    lines : tuple of Line
        The waves, whose sum it is.

    Raises
    ------
    CorruptDataError
        Their sums could exceed what is exact, or would take too long.
    """

    shape: tuple[int, ...]
    step: int
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        if len(self.lines) > MOST_LINES or not within_work(self.shape, self.lines):
            raise CorruptDataError("The structured noise has more waves than any plane can have.")
        for line in self.lines:
            reach = sum(map(abs, line.cosines.ravel().tolist())) * self.step
            if reach > MOST_COUNTS << STEP_BITS or abs(line.chirp) > MOST_CHIRP:
                raise CorruptDataError("The structured noise is larger than any image's.")

    def values(self, bits: int) -> npt.NDArray[np.int32]:
        """Return the plane, in units of ``2 ** -bits`` counts; ``bits`` is 0 to `FINEST`.

        A sum of products of rows and columns. Both are whole numbers in float64, and so is every
        partial sum, below 2 ** 53: exact in any order.
        """
        if not self.lines:
            return np.zeros(self.shape, np.int32)
        plane = np.empty(self.shape, np.int32)

        def write(rows: slice, values: Wholes) -> None:
            plane[rows] = values

        self.each_band(bits, write)
        return plane

    def each_band(self, bits: int, take: Callable[[slice, Wholes], None]) -> None:
        """Call ``take`` with rows and their `values`, in float64, of all rows, in threads."""
        if not self.lines:
            take(slice(0, self.shape[0]), np.zeros((1, 1)))
            return
        down, across = (np.concatenate(side, axis=1) for side in zip(*self._sides(), strict=True))
        # Times a power of two every sum has the same digits: exact as before.
        down *= 2.0 ** (bits - AMPLITUDE_BITS - FRACTION)
        turned, rows = np.ascontiguousarray(across.T), max(1, BAND // self.shape[1])

        def span(first: int, end: int) -> None:
            for top in range(first, end, rows):
                band = slice(top, min(top + rows, end))
                values = down[band] @ turned
                values += 0.5
                take(band, np.floor(values, out=values))

        in_spans(span, self.shape[0])

    def _sides(self) -> Iterator[tuple[Wholes, Wholes]]:
        """Yield of each wave what is multiplied: (height, n) and (width, n)."""
        for line in self.lines:
            amplitude, wave = self.amplitude(line), self._wave(line)
            yield (amplitude, wave) if line.along else (wave, amplitude)

    def _wave(self, line: Line) -> Wholes:
        """Return cosine and negative sine along the wave, zero phase in the middle."""
        length = self.shape[line.along]
        places = np.arange(length, dtype=np.int64) - length // 2
        phase = places * line.frequency << TURN_BITS - FREQUENCY_BITS
        parts = [cosine(phase)] if line.real else [cosine(phase), -sine(phase)]
        return np.stack(parts, axis=1)

    def amplitude(self, line: Line) -> Wholes:
        """Return real and imaginary part of each row's amplitude, in 2 ** -AMPLITUDE_BITS counts.

        Shape (rows, 2), or (rows, 1) of a wave without imaginary part.
        """
        length = self.shape[1 - line.along]
        sums = cosine_sums(line.cosines[:, : 1 if line.real else 2], length).astype(np.int64)
        found = _shifted(sums * self.step, FRACTION + STEP_BITS - AMPLITUDE_BITS)
        if line.real:
            return found.astype(np.float64)
        phase = carrier_phase(line.carrier, line.chirp, length)
        ahead, across = (part.astype(np.int64) for part in (cosine(phase), sine(phase)))
        real = found[:, 0] * ahead - found[:, 1] * across
        imaginary = found[:, 0] * across + found[:, 1] * ahead
        return _shifted(np.stack([real, imaginary], axis=1), FRACTION).astype(np.float64)


def within_work(shape: tuple[int, ...], lines: Iterable[Line]) -> bool:
    """Whether waves are as few as a plane's of this shape may be."""
    counts = [(len(line.cosines), shape[1 - line.along]) for line in lines]
    work = sum(count * length for count, length in counts)
    return sum(count for count, _ in counts) <= MOST_PARTS and work <= MOST_WORK * max(
        shape[0] * shape[1], SMALL
    )


def turn_bits(length: int) -> int:
    """Return the fractional bits of a frequency, in turns, that so many pixels need."""
    return min(length.bit_length() + FINENESS_BITS, FREQUENCY_BITS)


def rounded(turns: float, length: int) -> int:
    """Return a frequency as a stream holds it for so many pixels, in 2 ** -FREQUENCY_BITS turns."""
    bits = turn_bits(length)
    whole: int = round(turns * 2**bits) << FREQUENCY_BITS - bits
    return whole


def rounded_step(counts: float) -> int:
    """Return a step as a stream holds it, in 2 ** -STEP_BITS counts: with MANTISSA_BITS digits."""
    whole = max(round(counts * 2**STEP_BITS), 1)
    shift = max(whole.bit_length() - MANTISSA_BITS, 0)
    kept: int = min(whole >> shift, 2**MANTISSA_BITS - 1) << shift
    return kept


def carrier_phase(carrier: int, chirp: int, length: int) -> Integers:
    """Return a carrier's phase in each row, in units of ``2 ** -TURN_BITS`` turns."""
    rows = np.arange(length, dtype=np.int64)
    share = (rows << 15) // length
    return (rows * carrier << TURN_BITS - FREQUENCY_BITS) + chirp * share**2


def cosine_sums(numbers: Integers, length: int) -> Wholes:
    """Return (length, n): the inverse DCT of (K, n) whole numbers, times ``2 ** FRACTION``."""
    used = np.flatnonzero(numbers.any(axis=1))
    factors = np.ascontiguousarray(numbers[used], np.int64)
    sums = kernel(_turn(length), used, factors)
    if used.size and not used[0]:
        # Half of a cosine's energy is at frequency 0.
        sums += (CONSTANT - (1 << FRACTION)) * factors[0]
    return sums.astype(np.float64)


@functools.lru_cache(maxsize=8)
def _turn(length: int) -> npt.NDArray[np.int16]:
    """Return a turn's cosines at quarters of a pixel of so many, (4 * length,)."""
    places = np.arange(4 * length, dtype=np.int64)
    entries = (places * (ENTRIES // 4) + length // 2) // length % ENTRIES
    found: npt.NDArray[np.int16] = cosines()[entries].astype(np.int16)
    return found


def _shifted(values: Integers, shift: int) -> Integers:
    return values + (1 << shift - 1) >> shift
