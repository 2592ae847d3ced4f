"""Wavelet coefficients: pixels to the wavelet's values, coefficients to a codec's planes, and back.

Two kinds: `IntegerCoefficients` for lossless coding, `FloatCoefficients` for lossy coding.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from cytopress.codecs.base import Form
from cytopress.codecs.container.wire import take_varints, varints
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.codecs.wrappers.lifting import CDF_9_7, Step, join, lengths, split
from cytopress.codecs.wrappers.range_mapping import mapped_range
from cytopress.image import Image, Pixels

Plane = npt.NDArray[Any]
# The largest value of the uint16 planes that a lossy codec is given.
TOP = 2**16 - 1
# Filters are read from so many planes per coefficient of the last level: more change nothing.
WINDOW = 8


def _mean(a: Plane, b: Plane, extra: int, bits: int) -> Plane:
    """Return (a + b + extra) / 2**bits, rounded down, in the planes' own dtype."""
    mean: Plane = (a.astype(np.int32) + b + extra) >> bits
    return mean.astype(a.dtype)


@dataclass(frozen=True)
class IntegerCoefficients:
    """The 5/3 wavelet in integers modulo the dtype's range: exact, in the bits that pixels have.

    Values are differences from the middle of the used range, so that they wrap around only where
    nearly the whole range of the dtype is used.

    Parameters
    ----------
    middle : int
        Middle of the used range, after rounding, in steps.
    step : int
        Pixels are rounded to multiples of it, in counts; odd. 1: none is changed.
    """

    middle: int
    step: int

    steps: ClassVar[tuple[Step, ...]] = (
        Step(lambda a, b: -_mean(a, b, 0, 1), lambda a, b: _mean(a, b, 2, 2)),
    )

    @classmethod
    def of(cls, image: Image, step: int) -> Self:
        """Return the coefficients for an image's used range."""
        low, high = (
            _round_to_steps(int(end), step) for end in (image.pixels.min(), image.pixels.max())
        )
        return cls((low + high + 1) // 2, step)

    def put(self) -> bytes:
        """Return the side information."""
        return varints(self.middle)

    @classmethod
    def take(cls, stream: bytes, step: int) -> tuple[Self, int]:
        """Read what `put` wrote; return it and the position behind it."""
        (middle,), start = take_varints(stream, 1)
        return cls(middle, step), start

    def from_pixels(self, plane: Pixels) -> Plane:
        """Return a plane as signed integers of its dtype's size."""
        numbers = _round_to_steps(plane.astype(np.int32), self.step) - self.middle
        return np.asarray(numbers.astype(f"i{plane.itemsize}"))

    def to_pixels(self, values: Plane, form: Form) -> Pixels:
        """Return a plane of ``form``'s dtype."""
        numbers = (values.astype(np.int32) + self.middle) % 256**values.itemsize * self.step
        pixels: Pixels = np.minimum(numbers, 2**form.bits - 1)
        return pixels.astype(form.dtype)

    def to_codec(self, coefficients: Plane, band: int) -> Pixels:  # noqa: ARG002 - all are alike
        """Return unsigned integers, zero in the middle of their range."""
        unsigned: Pixels = coefficients.view(f"u{coefficients.itemsize}")
        flipped: Pixels = unsigned ^ unsigned.dtype.type(1 << 8 * unsigned.itemsize - 1)
        return flipped

    def from_codec(self, pixels: Pixels, band: int) -> Plane:
        """Return the coefficients of `to_codec`."""
        return np.ascontiguousarray(self.to_codec(pixels, band)).view(f"i{pixels.itemsize}")

    def form(self, form: Form) -> Form:
        """Return the form of a plane of coefficients in a stack of ``form``."""
        return Form("YX", form.shape[1:], form.dtype, 8 * form.dtype.itemsize)


@dataclass(frozen=True)
class FloatCoefficients:
    """The 9/7 wavelet in float32, each band weighted by what an error in it does to the pixels.

    With these weights the codec can use one setting for all planes: equal errors in all bands
    leave the least error in the pixels for the bytes.

    Parameters
    ----------
    low, span : int
        The used range: its lowest count, and its width in counts.
    weights : tuple of float
        Factor of each band's coefficients, for pixels in [-1/2, 1/2].
    """

    low: int
    span: int
    weights: tuple[float, ...]

    steps: ClassVar[tuple[Step, ...]] = CDF_9_7

    @classmethod
    def of(cls, image: Image, levels: int) -> Self:
        """Return the coefficients for an image's limits, or those of its field."""
        low, high = mapped_range(image)
        return cls(low, high - low, weights(len(image.pixels), levels))

    def put(self) -> bytes:
        """Return the side information."""
        return varints(self.low, self.span)

    @classmethod
    def take(cls, stream: bytes, count: int, levels: int) -> tuple[Self, int]:
        """Read what `put` wrote; return it and the position behind it."""
        (low, span), start = take_varints(stream, 2)
        return cls(low, span, weights(count, levels)), start

    def from_pixels(self, plane: Pixels) -> Plane:
        """Return a plane as float32 in [-1/2, 1/2]."""
        return (plane - np.float32(self.low)) / np.float32(max(self.span, 1)) - np.float32(0.5)

    def to_pixels(self, values: Plane, form: Form) -> Pixels:
        """Return a plane of ``form``'s dtype, within the used range."""
        counts = (values.astype(np.float64) + 0.5) * self.span + self.low
        return round_to_dtype(np.clip(counts, self.low, self.low + self.span), form)

    def to_codec(self, coefficients: Plane, band: int) -> Pixels:
        """Return uint16, zero in the middle of their range."""
        scaled = coefficients * np.float32(self.weights[band]) + np.float32(TOP / 2)
        pixels: Pixels = np.clip(np.rint(scaled), 0, TOP)
        return pixels.astype(np.uint16)

    def from_codec(self, pixels: Pixels, band: int) -> Plane:
        """Return the coefficients of `to_codec`, to within its rounding."""
        centered = pixels.astype(np.float32) - np.float32(TOP / 2)
        return np.asarray(centered / np.float32(self.weights[band]))

    def form(self, form: Form) -> Form:
        """Return the form of a plane of coefficients in a stack of ``form``."""
        return Form("YX", form.shape[1:], np.dtype(np.uint16), 16)


def error_gain(count: int, levels: int) -> float:
    """Return the ratio of an error in weighted coefficients to the one it leaves in pixels.

    Pixels are counted as if stretched to 16 bits, as a lossy codec of planes has them.
    """
    return _synthesis_norms(count, levels)[1]


def weights(count: int, levels: int) -> tuple[float, ...]:
    """Return each band's factor: equal errors weigh alike, and no coefficient overflows."""
    norms, shrink = _synthesis_norms(count, levels)
    return tuple(TOP * shrink * norm for norm in norms)


@functools.lru_cache(maxsize=64)
def _synthesis_norms(count: int, levels: int) -> tuple[tuple[float, ...], float]:
    """Return each band's synthesis norm, and the common factor that keeps coefficients in range.

    Both are read from the wavelet itself: the coefficients of a unit matrix's rows are its analysis
    filters, and the planes that unit coefficients give are its synthesis filters.
    """
    count = min(count, WINDOW * 2**levels)
    counts = lengths(count, levels)
    highs: list[list[Plane]] = []
    low = list(np.eye(count))
    for _ in counts[:-1]:
        planes = list(split(low, CDF_9_7))
        low = planes[::2]
        highs.append(planes[1::2])
    analysis = np.array([*(plane for band in highs for plane in band), *low])
    units = np.split(np.eye(count), np.cumsum(counts)[:-1])
    planes = list(units[-1])
    for band in reversed(units[:-1]):
        mixed = [plane for pair in zip(planes, band, strict=False) for plane in pair]
        mixed += planes[len(band) :]
        planes = list(join(mixed, CDF_9_7))
    norms = np.linalg.norm(np.array(planes), axis=0)
    bands = np.split(norms, np.cumsum(counts)[:-1])
    middles = [float(band[len(band) // 2]) for band in bands]
    reach = np.abs(analysis).sum(axis=1) * np.repeat(middles, counts)
    return tuple(middles), float(1 / reach.max())


def _round_to_steps(values: Any, step: int) -> Any:
    return (values + step // 2) // step if step > 1 else values
