"""Traits of a codec: the images it takes, its quality parameter, and what decoding promises."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cytopress.errors import UnsupportedImageError
from cytopress.image import DTYPES

ALL_DTYPES = tuple(dtype.name for dtype in DTYPES)
# Normal numbers of float32, in which codecs of floats count.
LEAST_FLOAT, MOST_FLOAT = 2.0**-126, 2.0**127
# Largest bound tried, in spans of the pixels: ZFP stays far within its bound.
BEYOND = 16


@dataclass(frozen=True)
class QualityParameter:
    """A codec's native quality parameter; the search for a portable target varies it.

    Parameters
    ----------
    name : str
        The option of the codec that it sets.
    unit : str
        What a value counts, such as "counts of error".
    least, most : float
        Smallest and largest value of a lossy setting.
    finer : {"lower", "higher"}
        The direction of more quality and more bytes.
    scale : {"linear", "log"}
        How the search spaces its steps.
    integer : bool
        Whether only whole numbers are valid.
    follows_range : bool
        Whether it counts in the units of the pixels, so that ``least`` and ``most``, made for
        16-bit integers, follow the range of floats (`for_floats`).
    """

    name: str
    unit: str
    least: float
    most: float
    finer: Literal["lower", "higher"]
    scale: Literal["linear", "log"] = "log"
    integer: bool = False
    follows_range: bool = False

    def value_at(self, position: float) -> float:
        """Return the value at a position from 0 (coarsest) to 1 (finest)."""
        if self.finer == "lower":
            position = 1 - position
        if self.scale == "log":
            value = self.least * (self.most / self.least) ** position
        else:
            value = self.least + (self.most - self.least) * position
        # Four digits are finer than any codec's own steps, and short in the header.
        value = min(max(float(f"{value:.4g}"), self.least), self.most)
        return round(value) if self.integer else value

    def position_of(self, value: float) -> float:
        """Return where a value is between the coarsest (0) and the finest (1)."""
        if self.scale == "log":
            place = math.log(value / self.least) / math.log(self.most / self.least)
        else:
            place = (value - self.least) / (self.most - self.least)
        return 1 - place if self.finer == "lower" else place

    def for_floats(self, span: float, step: float) -> QualityParameter:
        """Return this parameter for pixels that span so many counts.

        ``step`` is the distance of the largest pixel to the next float, below which nothing is
        finer.
        """
        if not (self.follows_range and span > 0):
            return self
        least = max(self.least * (span / self.most), step / 4, LEAST_FLOAT)
        return replace(self, least=least, most=min(BEYOND * span, MOST_FLOAT))

    @property
    def finest(self) -> float:
        """The value of most quality and most bytes."""
        return self.value_at(1.0)


@dataclass(frozen=True)
class Traits:
    """Fixed properties of a codec family, for its check, its help and the table of codecs.

    Parameters
    ----------
    dims : tuple of int
        Numbers of dimensions it codes: 2 for planes, 3 for stacks.
    dtypes : tuple of str
        Names of the pixel types it codes.
    lossless_dtypes : tuple of str
        Names of further pixel types, which it codes losslessly only.
    bits : str
        Bit depths it codes, in words.
    parameter : QualityParameter or None
        Its quality parameter; None for a codec without one.
    reads_back : str
        What decoding returns, in words.
    can_be_lossless : bool
        Whether it has a lossless setting.
    stretch : int
        Bits to which the used range is stretched before lossy coding; 0: counts are coded as
        they are. A codec for which it depends on the image or an option has `stretch_bits`
        (`wrappers.rescaled.StretchesRange`).
    percentiles : (float, float)
        Of the pixels of a field: the range that lossy coding maps, if it maps one.
    shaped_by_noise : bool
        Whether its lossy settings need a noise model (options ``a``, ``b``, ``offset``).
    bound : float
        Bound on every pixel's error, as a multiple of the quality parameter in counts; 0: none.
    whole : bool
        Whether coding copies the whole image, so that large volumes are cut into blocks.
    wavelet : bool
        Whether it can code the coefficients of a wavelet along z (``z=wavelet``).
    bias : float
        Known shift of the mean in counts, beyond what the codec's error explains.
    largest : tuple of int
        Lengths in pixels of the largest plane that its library codes and decodes, or of the
        largest volume, if that alone has a limit; () where any size is coded.
    exact : bool
        Whether lossy decoding gives the same pixels on every machine. False where it computes in
        floats, which processors round differently: a pixel may then differ by one count.
    lines : bool
        Whether structured noise is coded apart (``lines=auto``) unless a spec says otherwise.
    scale : bool
        Whether a target may be met at a lower resolution (``scale=auto``) unless a spec says
        otherwise.
    """

    dims: tuple[int, ...]
    dtypes: tuple[str, ...]
    bits: str
    parameter: QualityParameter | None
    reads_back: str
    can_be_lossless: bool
    stretch: int = 0
    percentiles: tuple[float, float] = (0.0, 100.0)
    shaped_by_noise: bool = False
    bound: float = 0.0
    whole: bool = False
    wavelet: bool = False
    bias: float = 0.0
    largest: tuple[int, ...] = ()
    exact: bool = True
    lossless_dtypes: tuple[str, ...] = ()
    lines: bool = False
    scale: bool = False

    def dtypes_of(self, *, lossless: bool) -> tuple[str, ...]:
        """Return the names of the pixel types that a lossless or a lossy setting codes."""
        return (*self.dtypes, *self.lossless_dtypes) if lossless else self.dtypes

    def check_dtype(self, name: str, dtype: np.dtype[Any], *, lossless: bool) -> None:
        """Raise UnsupportedImageError if the codec of this name cannot code a pixel type."""
        taken = self.dtypes_of(lossless=lossless)
        if dtype.name not in taken:
            lossy = " with loss" if dtype.name in self.lossless_dtypes else ""
            raise UnsupportedImageError(
                f"{name} codes {', '.join(taken)}{lossy}, not {dtype.name}; zstd codes"
                f" {dtype.name} losslessly."
            )
