"""Anscombe transform and quantization in steps of the camera's noise, then lossless JPEG XL.

The generalized Anscombe transform [1]_ makes the noise standard deviation of every level about 1,
so that one step suits them all. Below the camera's offset it continues as a straight line.

No float is stored: encoder and decoder make the same table of integers from the options. They use
only operations that IEEE 754 rounds exactly (+, -, x, /, square root), each over a whole array so
that no compiler fuses two of them. So the table is the same on every machine.

.. [1] J. L. Starck, F. Murtagh and A. Bijaoui, Image Processing and Data Analysis, 1998.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import imagecodecs
import numpy as np
import numpy.typing as npt

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, QualityParameter, StreamCodec, Traits
from cytopress.codecs.container.wire import take_varints, varints
from cytopress.codecs.options import float_option, integer_option
from cytopress.errors import CorruptDataError, UsageError
from cytopress.image import Image, Pixels
from cytopress.metrics.noise import NoiseModel

LevelTable = npt.NDArray[np.uint16]
MOST_STEPS = 2.0**52


@dataclass(frozen=True)
class AnscombeJpegXL(StreamCodec):
    """Code a plane in steps of its noise: variance = a x (value - offset) + b.

    Parameters
    ----------
    qstep : float
        Step of the quantizer in units of the noise, 0.01 to 1000.
    a, b, offset : float
        The noise model, in counts. With ``a`` 0 all steps are equal.
    effort : int
        Of JPEG XL, 1 (fast) to 9 (small).
    """

    qstep: float = 1.0
    a: float = 0.0
    b: float = 1.0
    offset: float = 0.0
    effort: int = 7

    name: ClassVar[str] = "anscombe-jpegxl"
    number: ClassVar[int] = 16
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=("uint8", "uint16"),
        bits="1 to 16",
        parameter=QualityParameter("qstep", "noise sigma", 0.01, 1000, finer="lower"),
        reads_back="the same dtype, within half a step of the noise",
        can_be_lossless=False,
        shaped_by_noise=True,
    )

    def __post_init__(self) -> None:
        float_option(self, "qstep", 0.01, 1000)
        integer_option(self, "effort", 1, 9)
        NoiseModel(self.a, self.b, self.offset)

    @property
    def lossless(self) -> bool:
        """Never promised."""
        return False

    def compress(self, image: Image) -> bytes:
        """Return the used range and a JPEG XL codestream of level numbers."""
        low, high = int(image.pixels.min()), int(image.pixels.max())
        numbers, _ = self._tables(low, high)
        levels = numbers[image.pixels - low]
        stream = imagecodecs.jpegxl_encode(levels, effort=self.effort, lossless=True, numthreads=1)
        return varints(low, high - low) + bytes(stream)

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:
        """Return the shape in the codestream's header."""
        return headers.jpegxl(stream[take_varints(stream, 2)[1] :])

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the middle of each pixel's level."""
        (low, span), start = take_varints(stream, 2)
        if (low + span) >> form.bits:
            raise CorruptDataError("anscombe-jpegxl: the stream holds a range that does not fit.")
        _, middles = self._tables(low, low + span)
        levels = np.asarray(imagecodecs.jpegxl_decode(stream[start:], numthreads=1))
        if levels.max() >= len(middles):
            raise CorruptDataError("anscombe-jpegxl: the stream holds a level that does not exist.")
        return np.asarray(middles[levels].reshape(form.shape).astype(form.dtype))

    def _tables(self, low: int, high: int) -> tuple[LevelTable, LevelTable]:
        return level_tables(self.qstep, self.a, self.b, self.offset, low, high)


@functools.lru_cache(maxsize=32)
def level_tables(
    qstep: float, a: float, b: float, offset: float, low: int, high: int
) -> tuple[LevelTable, LevelTable]:
    """Return the level number of every value of an image's range, and the value of every level.

    Returns
    -------
    numbers : ndarray of uint16
        Shape (high - low + 1,): the level of each value, counted from 0 without gaps.
    middles : ndarray of uint16
        Shape (levels,): the middle of each level's values. Where there are two, the lower and the
        upper alternate, so that rounding shifts no mean.
    """
    values = np.arange(low, high + 1)
    steps = stabilized(values.astype(np.float64), a, b, offset) / qstep
    if not np.abs(steps).max() < MOST_STEPS:
        raise UsageError(
            "anscombe-jpegxl: this noise model and qstep give more levels than can be numbered."
        )
    starts = np.flatnonzero(np.diff(np.floor(steps + 0.5), prepend=-np.inf))
    ends = np.append(starts[1:], len(values)) - 1
    turn = np.arange(len(starts)) % 2
    numbers = np.repeat(np.arange(len(starts)), ends - starts + 1)
    return numbers.astype(np.uint16), (low + (starts + ends + turn) // 2).astype(np.uint16)


def stabilized(
    values: npt.NDArray[np.float64], a: float, b: float, offset: float
) -> npt.NDArray[np.float64]:
    """Return values in units of their noise, counted from the offset: rising, slope 1 / sigma.

    With v = sqrt(a (x - offset) + 3/8 a^2 + b), this is 2 / a (v - v at the offset), written as
    2 (x - offset) / (v + v at the offset), which holds for a = 0 too.
    """
    light = values - offset
    least = np.float64(a) * np.float64(a) * np.float64(0.375) + np.float64(b)
    root = np.sqrt(np.maximum(light, 0.0) * np.float64(a) + least)
    return np.asarray(2.0 * light / (root + np.sqrt(least)))
