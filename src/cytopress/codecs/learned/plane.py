"""Pixels as the plane that networks take, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cytopress.codecs.codec import to_dtype
from cytopress.codecs.container import Form
from cytopress.image import Pixels

Plane = npt.NDArray[np.float32]
# What a plane's values are clipped to, in used ranges. A single hot pixel of a float image can lie
# anywhere; this far out a network of floats has no digits left for the others.
MOST = 2.0**15
# Rows converted at once: the range of float32 needs float64, the memory of which is bounded so.
BAND_PIXELS = 2**20


def used_range(pixels: Pixels, percentiles: tuple[float, float]) -> tuple[float, float]:
    """Return the limits that become 0 and 1, as float32 holds them; equal for a constant image."""
    low, high = (float(np.float32(limit)) for limit in _percentiles(pixels, percentiles))
    if low == high:
        # Fewer bright pixels than the percentile leaves out are an image still.
        low, high = float(np.float32(pixels.min())), float(np.float32(pixels.max()))
    return low, high


def _percentiles(pixels: Pixels, percentiles: tuple[float, float]) -> tuple[float, float]:
    if pixels.dtype.kind == "f":
        low, high = np.percentile(pixels.reshape(-1).astype(np.float64), percentiles)
    else:
        low, high = np.percentile(pixels, percentiles)
    return float(low), float(high)


def normalized(pixels: Pixels, low: float, high: float) -> tuple[Plane, float]:
    """Return the plane around its mean, and that mean as float16 holds it, in used ranges."""
    plane = np.empty(pixels.shape, np.float32)
    total = 0.0
    for band in _bands(pixels.shape):
        part = (pixels[band].astype(np.float64) - low) / (high - low)
        np.clip(part, -MOST, MOST, out=part)
        total += float(part.sum())
        plane[band] = part
    center = float(np.float16(total / pixels.size))
    plane -= np.float32(center)
    return plane, center


def pixels_of(plane: Plane, center: float, low: float, high: float, form: Form) -> Pixels:
    """Return a plane around its mean as pixels of ``form``."""
    pixels = np.empty(form.shape, form.dtype)
    most = float(np.finfo(np.float32).max)
    for band in _bands(form.shape):
        values = plane[band].astype(np.float64)
        values += center
        values *= high - low
        values += low
        np.clip(values, -most, most, out=values)
        pixels[band] = to_dtype(values, form)
    return pixels


def constant(value: float, form: Form) -> Pixels:
    """Return pixels of ``form`` that are all ``value``."""
    return np.full(form.shape, to_dtype(np.array(value), form), form.dtype)


def _bands(shape: tuple[int, ...]) -> list[slice]:
    rows = max(1, BAND_PIXELS // shape[1])
    return [slice(top, top + rows) for top in range(0, shape[0], rows)]
