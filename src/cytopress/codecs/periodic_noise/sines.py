"""Cosine table in integers, the same on every machine: no function of a math library makes it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
# A turn has so many entries, each with so many fractional bits.
ENTRIES, FRACTION = 2**12, 14
# Phases are in units of 2 ** -TURN_BITS of a turn.
TURN_BITS = 32
# Fractional bits in which the table is computed before it is rounded.
PRECISION = 96


@functools.cache
def cosines() -> npt.NDArray[np.float64]:
    """Return (ENTRIES,) whole numbers: cosines in units of ``2 ** -FRACTION``.

    They are float64 because products of matrices of whole numbers are exact and fast there.
    """
    quarter = ENTRIES // 4
    turn = 2 * _pi()
    values = [_cosine(turn * step // ENTRIES) for step in range(quarter + 1)]
    half = 1 << PRECISION - FRACTION - 1
    first = [(value + half) >> PRECISION - FRACTION for value in values]
    second = [-value for value in first[-2::-1]]
    table = np.array(first + second + [-value for value in first[1:]] + [-v for v in second[:-1]])
    found = table.astype(np.float64)
    found.flags.writeable = False
    return found


def cosine(phase: Any) -> npt.NDArray[np.float64]:
    """Return cosines of int64 phases, to the nearest entry of the table."""
    drop = TURN_BITS - ENTRIES.bit_length() + 1
    found: npt.NDArray[np.float64] = cosines()[(phase + (1 << drop - 1) >> drop) & ENTRIES - 1]
    return found


def sine(phase: Any) -> npt.NDArray[np.float64]:
    """Return sines of int64 phases, to the nearest entry of the table."""
    return cosine(phase - (1 << TURN_BITS - 2))


def _pi() -> int:
    """Return pi in units of ``2 ** -PRECISION``, by Machin's formula."""
    return 4 * (4 * _arctangent_of_inverse(5) - _arctangent_of_inverse(239))


def _arctangent_of_inverse(number: int) -> int:
    power = (1 << PRECISION) // number
    total, divisor, sign = 0, 1, 1
    while power:
        total += sign * (power // divisor)
        power //= number * number
        divisor, sign = divisor + 2, -sign
    return total


def _cosine(angle: int) -> int:
    """Return the cosine of an angle of the first quarter by its power series."""
    square = angle * angle >> PRECISION
    term, total, order, sign = 1 << PRECISION, 0, 0, 1
    while term:
        total += sign * term
        order += 2
        term = (term * square >> PRECISION) // (order * (order - 1))
        sign = -sign
    return total
