"""Frequencies of structured noise as text, such as ``x0.22119+y0``, and those of several planes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy.typing as npt

from cytopress.codecs.periodic_noise.detection import MOST, Frequency, find_frequencies
from cytopress.codecs.periodic_noise.layer import FREQUENCY_BITS, NYQUIST
from cytopress.errors import UsageError

AXES = "yx"
ONE = re.compile(r"([xy])(0|0?\.[0-9]{1,7})")
# Frequencies of several planes that are nearer to one another are one, in cycles a pixel.
SAME = 0.0015


def frequencies_of_planes(planes: Iterable[npt.NDArray[Any]]) -> tuple[Frequency, ...]:
    """Return the frequencies of all planes: of nearly equal ones the first, few of each axis."""
    found: list[Frequency] = []
    for plane in planes:
        for along, frequency in find_frequencies(plane):
            known = [one for axis, one in found if axis == along]
            near = SAME * 2**FREQUENCY_BITS * (frequency > 0)
            if len(known) < MOST and all(abs(one - frequency) > near for one in known):
                found.append((along, frequency))
    return tuple(found)


def frequencies_text(found: Iterable[Frequency]) -> str:
    """Return frequencies as text, in cycles a pixel along x or y."""
    return "+".join(f"{AXES[along]}{_decimal(frequency)}" for along, frequency in found)


def read_frequencies(text: str) -> tuple[Frequency, ...]:
    """Return the frequencies of `frequencies_text`.

    Raises
    ------
    UsageError
        The text is of another form, or a frequency is above 0.5 cycles a pixel.
    """
    found = []
    for part in text.split("+"):
        match = ONE.fullmatch(part)
        units = round(float(match[2]) * 2**FREQUENCY_BITS) if match else NYQUIST + 1
        if match is None or units > NYQUIST:
            raise UsageError(
                "lines is auto, 1, 0, or frequencies in cycles a pixel, from 0 to 0.5, such as"
                f" x0.221+x0.442, not {text}."
            )
        found.append((AXES.index(match[1]), units))
    return tuple(found)


def _decimal(frequency: int) -> str:
    return f"{frequency / 2**FREQUENCY_BITS:.5f}".rstrip("0").rstrip(".")
