"""Wavelet along z, then a 2D codec on every plane of coefficients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from cytopress.codecs import progress
from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.container.wire import length_prefixed, split_views
from cytopress.codecs.options import integer_option
from cytopress.codecs.wrappers.coefficients import (
    FloatCoefficients,
    IntegerCoefficients,
    Plane,
    error_gain,
)
from cytopress.codecs.wrappers.error_scaling import rounding_step, scale_error
from cytopress.codecs.wrappers.lifting import join, lengths, split
from cytopress.codecs.wrappers.parts import PartsCodec
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Wavelet(PartsCodec):
    """Transform a stack along z, and code each plane of coefficients with ``codec``.

    The wavelet is JPEG 2000's 5/3 in integers before a lossless codec, its 9/7 in floats before a
    lossy one (see `coefficients`). Only a few planes are in memory at a time.

    Parameters
    ----------
    codec : StreamCodec
        A codec of planes of integers.
    levels : int
        Levels of the wavelet, 1 to 8; fewer where a stack has too few planes.
    step : int
        Odd number of counts. Before a lossless codec pixels are rounded to multiples of it, so
        none is off by more than ``step // 2`` counts.
    """

    codec: StreamCodec
    levels: int = 3
    step: int = 1

    name: ClassVar[str] = "wavelet"
    number: ClassVar[int] = 27
    traits: ClassVar[Traits] = Traits(
        dims=(3,),
        dtypes=("uint8", "uint16"),
        bits="any",
        parameter=None,
        reads_back="as the wrapped codec",
        can_be_lossless=True,
    )

    def __post_init__(self) -> None:
        integer_option(self, "levels", 1, 8)
        integer_option(self, "step", 1, 2**17 - 1)
        scale_error(self.codec, 1.0)

    @classmethod
    def over(cls, codec: StreamCodec) -> Self:
        """Return the wavelet before a codec; a codec that rounds pixels does so before the wavelet.

        Raises
        ------
        UsageError
            The codec cannot code wavelet coefficients.
        """
        step = rounding_step(codec)
        return cls(codec if step == 1 else scale_error(codec, 1.0), step=step)

    @property
    def lossless(self) -> bool:
        """Whether the wrapped codec is lossless, and no pixel is rounded before it."""
        return self.codec.lossless and self.step == 1

    @property
    def exact(self) -> bool:
        """Whether the wrapped codec is lossless: a lossy one has floats before it."""
        return self.codec.lossless

    def check(self, image: Image) -> None:
        """Check the stack, and a plane of coefficients for the wrapped codec."""
        super().check(image)
        dtype = image.dtype if self.codec.lossless else np.uint16
        self.codec.check(Image(np.zeros(image.shape[1:], dtype)))

    def parts(self, image: Image) -> list[bytes]:
        """Return side information, then the coefficient planes' streams, length-prefixed."""
        counts = lengths(len(image.pixels), self.levels)
        codec, coefficients = self._inner(len(image.pixels)), self._coefficients(image)
        bands: list[list[bytes]] = [[] for _ in counts]

        def keep(plane: Plane, band: int) -> None:
            bands[band].append(codec.compress(Image(coefficients.to_codec(plane, band))))

        low: Iterator[Plane] = map(coefficients.from_pixels, progress.track(image.pixels))
        for level in range(len(counts) - 1):
            low = _lows(split(low, coefficients.steps), keep, level)
        for plane in low:
            keep(plane, len(counts) - 1)
        return [coefficients.put(), *length_prefixed(stream for band in bands for stream in band)]

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the stack."""
        coefficients, start = self._take(stream, form.shape[0])
        counts, plane_form = lengths(form.shape[0], self.levels), coefficients.form(form)
        parts = iter(split_views(stream[start:], form.shape[0]))
        bands = [[next(parts) for _ in range(count)] for count in counts]

        def planes(band: int) -> Iterator[Plane]:
            for part in bands[band]:
                decoded = self.codec.restore(part, plane_form).pixels
                yield coefficients.from_codec(decoded, band)

        low = planes(len(counts) - 1)
        for level in reversed(range(len(counts) - 1)):
            low = join(_interleave(low, planes(level)), coefficients.steps)
        pixels = np.empty(form.shape, form.dtype)
        for z, plane in enumerate(progress.track(low, form.shape[0])):
            pixels[z] = coefficients.to_pixels(plane, form)
        return pixels

    def _inner(self, count: int) -> StreamCodec:
        """Return the codec of the planes, which leaves in the pixels the error of ``codec``."""
        if self.codec.lossless:
            return self.codec
        return scale_error(self.codec, error_gain(count, self.levels))

    def _coefficients(self, image: Image) -> IntegerCoefficients | FloatCoefficients:
        if self.codec.lossless:
            return IntegerCoefficients.of(image, self.step)
        return FloatCoefficients.of(image, self.levels)

    def _take(
        self, stream: bytes, count: int
    ) -> tuple[IntegerCoefficients | FloatCoefficients, int]:
        if self.codec.lossless:
            return IntegerCoefficients.take(stream, self.step)
        return FloatCoefficients.take(stream, count, self.levels)


def _lows(
    planes: Iterable[Plane], keep: Callable[[Plane, int], None], level: int
) -> Iterator[Plane]:
    """Yield the low planes of a level; pass its high ones to ``keep`` on the way."""
    for place, plane in enumerate(planes):
        if place % 2:
            keep(plane, level)
        else:
            yield plane


def _interleave(low: Iterator[Plane], high: Iterator[Plane]) -> Iterator[Plane]:
    """Yield low and high planes alternately; the last may be a low one."""
    for plane in low:
        yield plane
        yield from (part for part in (next(high, None),) if part is not None)
