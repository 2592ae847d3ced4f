"""Normalization of pixels: used range to 0 to 1, mean subtracted; and back."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cytopress.codecs.container.container import Form
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.errors import CorruptDataError
from cytopress.image import Image, Pixels
from cytopress.metrics.histogram import histogram, histogram_percentiles

Plane = npt.NDArray[np.float32]
# The used range, in front of a stream.
LIMITS = struct.Struct("<ff")
# Normalized values are clipped to this. A single hot pixel of a float image can lie anywhere, and
# float32 would have no digits left for the others.
MOST = 2.0**15
# Pixels converted at once: temporary arrays stay in the cache.
BAND_PIXELS = 2**16


class PlaneLike(Protocol):
    """A plane, (H, W) float32, or an object that computes parts of one when indexed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    def __getitem__(self, place: tuple[slice, ...], /) -> Plane:
        """Return a part."""


def used_range(pixels: Pixels, percentiles: tuple[float, float]) -> tuple[float, float]:
    """Return the limits that become 0 and 1, as float32 holds them; equal for a constant image."""
    low, high = (float(np.float32(limit)) for limit in _percentiles(pixels, percentiles))
    if low == high:
        # An image whose bright pixels are fewer than the percentile leaves out.
        low, high = float(np.float32(pixels.min())), float(np.float32(pixels.max()))
    return low, high


def coded_range(image: Image, percentiles: tuple[float, float]) -> tuple[float, float]:
    """Return the limits of the field that an image was cut from, as `used_range`; its own without.

    A constant image is its own range in any field: it takes no bytes beside it, and loses nothing.
    """
    if image.limits is not None and image.pixels.min() < image.pixels.max():
        with np.errstate(over="ignore"):
            low, high = (float(np.float32(limit)) for limit in image.limits)
        if np.isfinite((low, high)).all() and low < high:
            return low, high
    return used_range(image.pixels, percentiles)


def _percentiles(pixels: Pixels, percentiles: tuple[float, float]) -> tuple[float, float]:
    if pixels.dtype.kind == "f":
        low, high = np.percentile(pixels.reshape(-1).astype(np.float64), percentiles)
    elif pixels.ndim == 3:
        low, high = histogram_percentiles(histogram(pixels), percentiles)
    else:
        low, high = np.percentile(pixels, percentiles)
    return float(low), float(high)


def normalized(pixels: Pixels, low: float, high: float) -> tuple[Plane, float]:
    """Return the normalized plane without its mean, and that mean as float16 holds it."""
    plane = np.empty(pixels.shape, np.float32)
    total = 0.0
    for band, part in _in_ranges(pixels, low, high):
        total += float(part.sum(dtype=np.float64))
        plane[band] = part
    center = float(np.float16(total / pixels.size))
    plane -= np.float32(center)
    return plane, center


def mean_of(volume: Pixels, low: float, high: float) -> float:
    """Return the mean of a normalized volume, as float16 holds it."""
    total = 0.0
    for plane in volume:
        total += sum(float(p.sum(dtype=np.float64)) for _, p in _in_ranges(plane, low, high))
    return float(np.float16(total / volume.size))


def around(pixels: Pixels, center: float, low: float, high: float) -> Plane:
    """Return a normalized plane, less a mean that is known."""
    plane = np.empty(pixels.shape, np.float32)
    for band, part in _in_ranges(pixels, low, high):
        plane[band] = part
    plane -= np.float32(center)
    return plane


def _in_ranges(pixels: Pixels, low: float, high: float) -> Iterator[tuple[slice, Pixels]]:
    """Yield normalized rows of a plane."""
    kind = _precise(pixels.dtype)
    offset, factor = kind.type(low), kind.type(1 / (high - low))
    for band in _bands(pixels.shape):
        part: Pixels = pixels[band].astype(kind)
        part -= offset
        part *= factor
        np.clip(part, -MOST, MOST, out=part)
        yield band, part


def pixels_of(plane: Plane, center: float, low: float, high: float, form: Form) -> Pixels:
    """Return a normalized plane without its mean as pixels of the dtype and bits of ``form``."""
    kind = _precise(form.dtype)
    factor, offset = kind.type(high - low), kind.type(low + center * (high - low))
    most = float(np.finfo(np.float32).max)
    pixels = np.empty(plane.shape, form.dtype)
    for band in _bands(plane.shape):
        values: Pixels = plane[band].astype(kind)
        values *= factor
        values += offset
        np.clip(values, -most, most, out=values)
        pixels[band] = round_to_dtype(values, form)
    return pixels


def take_limits(name: str, stream: bytes) -> tuple[float, float, bytes]:
    """Return the limits that a stream begins with, and the rest of it (empty: a constant image).

    Raises
    ------
    CorruptDataError
        The stream is too short, the limits are no range, or a constant image is followed by more.
    """
    if len(stream) < LIMITS.size:
        raise CorruptDataError(f"{name}: the stream ends within its limits.")
    low, high = LIMITS.unpack_from(stream)
    if not (np.isfinite((low, high)).all() and low <= high):
        raise CorruptDataError(f"{name}: the limits {low} and {high} are no range.")
    rest = stream[LIMITS.size :]
    if low == high and rest:
        raise CorruptDataError(f"{name}: a constant image is followed by more bytes.")
    return low, high, rest


def constant(value: float, form: Form) -> Pixels:
    """Return pixels of ``form`` that are all ``value``."""
    return np.full(form.shape, round_to_dtype(np.array(value), form), form.dtype)


def _precise(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype to compute in: the span of float32 images can exceed float32."""
    return np.dtype(np.float64 if dtype.kind == "f" else np.float32)


def _bands(shape: tuple[int, ...]) -> list[slice]:
    rows = max(1, BAND_PIXELS // shape[1])
    return [slice(top, top + rows) for top in range(0, shape[0], rows)]
