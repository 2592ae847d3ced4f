"""Pictures of previews: display range, error map and scale bar."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cytopress.image import Image, Pixels
from cytopress.report.data_uri import Bytes2D, data_uri, png

# Percentiles of the reference that are shown as black and as white.
DARK, BRIGHT = 0.5, 99.5
# Percentile of the absolute errors that the scale of an error map reaches.
ERROR_PART = 99.5
BLUE, WHITE, RED = (33, 102, 172), (247, 247, 247), (178, 24, 43)


@dataclass(frozen=True)
class DisplayRange:
    """Display range: the counts that are shown as black and as white."""

    low: float
    high: float


def display_range(reference: Image) -> DisplayRange:
    """Return the display range of a reference, which the pictures beside it share."""
    low, high = (float(v) for v in np.percentile(plane(reference), (DARK, BRIGHT)))
    return DisplayRange(low, high if high > low else low + 1.0)


def plane(image: Image) -> Pixels:
    """Return the pixels that are shown: the middle plane of a stack."""
    return image.pixels[image.shape[0] // 2] if image.axes == "ZYX" else image.pixels


def grey_picture(image: Image, span: DisplayRange) -> str:
    """Return an image as an 8-bit grey picture over a display range."""
    return data_uri(png(grey_levels(image, span)))


def grey_levels(image: Image, span: DisplayRange) -> Bytes2D:
    """Return the shown plane of an image as 8-bit grey over a display range."""
    scaled = (plane(image).astype(np.float64) - span.low) / (span.high - span.low)
    return _eight_bits(scaled)


@dataclass(frozen=True)
class ErrorScale:
    """Scale of an error map: the error of its end colors in counts, and the part beyond it."""

    limit: float
    beyond: float


def error_scale(pairs: Sequence[tuple[Image, Image]]) -> ErrorScale:
    """Return one scale for the errors of pairs of original and decoded image.

    Symmetric, its limit a round number: 1, 2 or 5 times a power of ten.
    """
    errors = np.concatenate([abs(_error(*pair)).ravel() for pair in pairs])
    integer = pairs[0][1].dtype.kind != "f"
    limit = _round_up(float(np.percentile(errors, ERROR_PART)), integer=integer)
    return ErrorScale(limit, float(np.mean(errors > limit)))


def error_picture(original: Image, decoded: Image, limit: float) -> str:
    """Return decoded minus original in blue, white and red, up to a limit in counts."""
    return data_uri(png(error_levels(original, decoded, limit), diverging()))


def error_levels(original: Image, decoded: Image, limit: float) -> Bytes2D:
    """Return decoded minus original as indices into `diverging`, up to a limit in counts."""
    error = _error(original, decoded)
    # An odd number of levels, so that no error is exactly white.
    levels: Bytes2D = (np.rint(np.clip(error / limit, -1, 1) * 127) + 127).astype(np.uint8)
    return levels


def _error(original: Image, decoded: Image) -> npt.NDArray[np.float64]:
    return np.asarray(plane(decoded).astype(np.float64) - plane(original).astype(np.float64))


@functools.cache
def diverging() -> Bytes2D:
    """Return 255 colors from blue over white to red, and one that is never used; shape (256, 3)."""
    steps = np.linspace(-1.0, 1.0, 255)[:, None]
    ends = np.where(steps < 0, np.array(BLUE), np.array(RED))
    # The square root makes small errors visible without hiding which are larger.
    colors = np.array(WHITE) + (ends - np.array(WHITE)) * np.sqrt(abs(steps))
    return np.vstack([np.rint(colors), np.zeros((1, 3))]).astype(np.uint8)


def scale_bar(image: Image) -> tuple[float, str]:
    """Return the length of a scale bar in pixels, and its label: in µm where spacing is known."""
    width = image.shape[-1]
    size = None if image.spacing_um is None else image.spacing_um[-1]
    if size is None:
        length = _round_down(width / 4)
        return length, f"{length:.0f} pixels"
    length = _round_down(width * size / 4)
    return length / size, f"{length:g} µm"


def _eight_bits(scaled: npt.NDArray[np.float64]) -> Bytes2D:
    pixels: Bytes2D = np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    return pixels


def _round_up(value: float, *, integer: bool) -> float:
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    rounded = next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))
    return max(1.0, rounded) if integer else rounded


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (5, 2, 1) if step * power <= value * (1 + 1e-9))
