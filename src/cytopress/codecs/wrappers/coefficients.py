"""Pixels as what a wavelet works on, its coefficients as what a codec of planes takes, and back.

Two ways: integers that lose nothing, and floats on one common scale.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from cytopress.codecs.container.container import Form
from cytopress.codecs.container.wire import take_varints, varints
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.codecs.wrappers.lifting import SMOOTH, Step, join, lengths, split
from cytopress.image import Image, Pixels

Plane = npt.NDArray[Any]
# Coefficients of a lossy codec are uint16.
TOP = 2**16 - 1
# More planes than this change nothing in what a coefficient of so many levels is worth.
WINDOW = 8


def _mean(a: Plane, b: Plane, extra: int, bits: int) -> Plane:
    """Return (a + b + extra) / 2**bits, rounded down, in the planes' own dtype."""
    mean: Plane = (a.astype(np.int32) + b + extra) >> bits
    return mean.astype(a.dtype)


@dataclass(frozen=True)
class Integers:
    """The 5/3 wavelet, modulo the dtype's range: exact, and no coefficient needs another bit.

    Pixels are counted from the middle of the used range, so that none wraps around unless the range
    is nearly all used.

    Parameters
    ----------
    middle : int
        Of the used range, after rounding.
    step : int
        Pixels are rounded to multiples of it; odd.
    """

    middle: int
    step: int

    steps: ClassVar[tuple[Step, ...]] = (
        Step(lambda a, b: -_mean(a, b, 0, 1), lambda a, b: _mean(a, b, 2, 2)),
    )

    @classmethod
    def of(cls, image: Image, step: int) -> Self:
        """Return what suits an image."""
        low, high = (_rounded(int(end), step) for end in (image.pixels.min(), image.pixels.max()))
        return cls((low + high + 1) // 2, step)

    def put(self) -> bytes:
        """Return the side information."""
        return varints(self.middle)

    @classmethod
    def take(cls, stream: bytes, step: int) -> tuple[Self, int]:
        """Return what `put` wrote, and the position behind it."""
        (middle,), start = take_varints(stream, 1)
        return cls(middle, step), start

    def values(self, plane: Pixels) -> Plane:
        """Return a plane as signed integers of its dtype's size."""
        numbers = _rounded(plane.astype(np.int32), self.step) - self.middle
        return np.asarray(numbers.astype(f"i{plane.itemsize}"))

    def pixels(self, values: Plane, form: Form) -> Pixels:
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
class Floats:
    """The 9/7 wavelet in float32, each band weighted by what an error in it does to the pixels.

    So equal errors of the codec in all planes are what leaves the least error for the bytes.

    Parameters
    ----------
    low, span : int
        The used range of the pixels.
    weights : tuple of float
        By band: by what its coefficients of pixels in [-1/2, 1/2] are multiplied.
    """

    low: int
    span: int
    weights: tuple[float, ...]

    steps: ClassVar[tuple[Step, ...]] = SMOOTH

    @classmethod
    def of(cls, image: Image, levels: int) -> Self:
        """Return what suits an image."""
        low, high = int(image.pixels.min()), int(image.pixels.max())
        return cls(low, high - low, weights(len(image.pixels), levels))

    def put(self) -> bytes:
        """Return the side information."""
        return varints(self.low, self.span)

    @classmethod
    def take(cls, stream: bytes, count: int, levels: int) -> tuple[Self, int]:
        """Return what `put` wrote, and the position behind it."""
        (low, span), start = take_varints(stream, 2)
        return cls(low, span, weights(count, levels)), start

    def values(self, plane: Pixels) -> Plane:
        """Return a plane as float32 in [-1/2, 1/2]."""
        return (plane - np.float32(self.low)) / np.float32(max(self.span, 1)) - np.float32(0.5)

    def pixels(self, values: Plane, form: Form) -> Pixels:
        """Return a plane of ``form``'s dtype, within the used range."""
        counts = (values.astype(np.float64) + 0.5) * self.span + self.low
        return round_to_dtype(np.clip(counts, self.low, self.low + self.span), form)

    def to_codec(self, coefficients: Plane, band: int) -> Pixels:
        """Return uint16, zero in the middle of their range."""
        scaled = coefficients * np.float32(self.weights[band]) + np.float32(TOP / 2)
        pixels: Pixels = np.clip(np.rint(scaled), 0, TOP)
        return pixels.astype(np.uint16)

    def from_codec(self, pixels: Pixels, band: int) -> Plane:
        """Return about the coefficients of `to_codec`."""
        centered = pixels.astype(np.float32) - np.float32(TOP / 2)
        return np.asarray(centered / np.float32(self.weights[band]))

    def form(self, form: Form) -> Form:
        """Return the form of a plane of coefficients in a stack of ``form``."""
        return Form("YX", form.shape[1:], np.dtype(np.uint16), 16)


def share(count: int, levels: int) -> float:
    """Return what an error in the weighted coefficients is to the same in stretched pixels."""
    return _worth(count, levels)[1]


def weights(count: int, levels: int) -> tuple[float, ...]:
    """Return by band what makes equal errors weigh alike, and lets no coefficient overflow."""
    norms, shrink = _worth(count, levels)
    return tuple(TOP * shrink * norm for norm in norms)


@functools.lru_cache(maxsize=64)
def _worth(count: int, levels: int) -> tuple[tuple[float, ...], float]:
    """Return each band's norm of synthesis, and the factor that makes room for any pixels.

    Both are read from the wavelet itself: of planes that are the rows of a unit matrix, the
    coefficients are its analysis filters, and what such coefficients give its synthesis filters.
    """
    count = min(count, WINDOW * 2**levels)
    counts = lengths(count, levels)
    highs: list[list[Plane]] = []
    low = list(np.eye(count))
    for _ in counts[:-1]:
        planes = list(split(low, SMOOTH))
        low = planes[::2]
        highs.append(planes[1::2])
    analysis = np.array([*(plane for band in highs for plane in band), *low])
    units = np.split(np.eye(count), np.cumsum(counts)[:-1])
    planes = list(units[-1])
    for band in reversed(units[:-1]):
        mixed = [plane for pair in zip(planes, band, strict=False) for plane in pair]
        mixed += planes[len(band) :]
        planes = list(join(mixed, SMOOTH))
    norms = np.linalg.norm(np.array(planes), axis=0)
    bands = np.split(norms, np.cumsum(counts)[:-1])
    middles = [float(band[len(band) // 2]) for band in bands]
    reach = np.abs(analysis).sum(axis=1) * np.repeat(middles, counts)
    return tuple(middles), float(1 / reach.max())


def _rounded(values: Any, step: int) -> Any:
    return (values + step // 2) // step if step > 1 else values
