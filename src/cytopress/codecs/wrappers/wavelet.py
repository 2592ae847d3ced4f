"""Serve stacks with a 2D codec: a wavelet along z first, then every plane of coefficients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from cytopress.codecs import progress
from cytopress.codecs.base import StreamCodec, Traits
from cytopress.codecs.container.container import Form
from cytopress.codecs.container.wire import behind_lengths, split_views
from cytopress.codecs.options import integer_option
from cytopress.codecs.wrappers.coefficients import Floats, Integers, Plane, share
from cytopress.codecs.wrappers.error_scaling import rounding_step, scale_error
from cytopress.codecs.wrappers.lifting import join, lengths, split
from cytopress.codecs.wrappers.parts import PartsCodec
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Wavelet(PartsCodec):
    """Transform a stack along z, and code each plane of coefficients with ``codec``.

    Over a lossless codec it is the 5/3 wavelet of JPEG 2000 in integers, over a lossy one the 9/7
    wavelet in floats; `coefficients` says how. Only a few planes are in memory at a time.

    Parameters
    ----------
    codec : StreamCodec
        A codec of planes of integers.
    levels : int
        How often the low planes are split again, 1 to 8; fewer where a stack has too few planes.
    step : int
        Odd; over a lossless codec pixels are rounded to multiples of it, so none is off by more
        than ``step // 2`` counts.
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
        reads_back="as the codec inside",
        can_be_lossless=True,
    )

    def __post_init__(self) -> None:
        integer_option(self, "levels", 1, 8)
        integer_option(self, "step", 1, 2**17 - 1)
        scale_error(self.codec, 1.0)

    @classmethod
    def over(cls, codec: StreamCodec) -> Self:
        """Return the wavelet before a codec; what bounds the error rounds before the wavelet.

        Raises
        ------
        UsageError
            A wavelet makes no sense there.
        """
        step = rounding_step(codec)
        return cls(codec if step == 1 else scale_error(codec, 1.0), step=step)

    @property
    def lossless(self) -> bool:
        """Whether the codec inside is, and nothing is rounded before it."""
        return self.codec.lossless and self.step == 1

    @property
    def exact(self) -> bool:
        """Whether the codec inside is lossless: else floats are in it."""
        return self.codec.lossless

    def check(self, image: Image) -> None:
        """Check the stack, and a plane of coefficients for the codec inside."""
        super().check(image)
        dtype = image.dtype if self.codec.lossless else np.uint16
        self.codec.check(Image(np.zeros(image.shape[1:], dtype)))

    def parts(self, image: Image) -> list[bytes]:
        """Return side information, then each coefficient plane's stream behind its length."""
        counts = lengths(len(image.pixels), self.levels)
        codec, kind = self._inner(len(image.pixels)), self._kind(image)
        bands: list[list[bytes]] = [[] for _ in counts]

        def keep(plane: Plane, band: int) -> None:
            bands[band].append(codec.compress(Image(kind.to_codec(plane, band))))

        low: Iterator[Plane] = map(kind.values, progress.track(image.pixels))
        for level in range(len(counts) - 1):
            low = _lows(split(low, kind.steps), keep, level)
        for plane in low:
            keep(plane, len(counts) - 1)
        return [kind.put(), *behind_lengths(stream for band in bands for stream in band)]

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the stack."""
        kind, start = self._taken(stream, form.shape[0])
        counts = lengths(form.shape[0], self.levels)
        parts = iter(split_views(stream[start:], form.shape[0]))
        bands = [[next(parts) for _ in range(count)] for count in counts]

        def planes(band: int) -> Iterator[Plane]:
            for part in bands[band]:
                yield kind.from_codec(self.codec.restore(part, kind.form(form)).pixels, band)

        low = planes(len(counts) - 1)
        for level in reversed(range(len(counts) - 1)):
            low = join(_in_turn(low, planes(level)), kind.steps)
        pixels = np.empty(form.shape, form.dtype)
        for z, plane in enumerate(progress.track(low, form.shape[0])):
            pixels[z] = kind.pixels(plane, form)
        return pixels

    def _inner(self, count: int) -> StreamCodec:
        """Return the codec that leaves in the coefficients what ``codec`` would in the pixels."""
        if self.codec.lossless:
            return self.codec
        return scale_error(self.codec, share(count, self.levels))

    def _kind(self, image: Image) -> Integers | Floats:
        if self.codec.lossless:
            return Integers.of(image, self.step)
        return Floats.of(image, self.levels)

    def _taken(self, stream: bytes, count: int) -> tuple[Integers | Floats, int]:
        if self.codec.lossless:
            return Integers.take(stream, self.step)
        return Floats.take(stream, count, self.levels)


def _lows(
    planes: Iterable[Plane], keep: Callable[[Plane, int], None], level: int
) -> Iterator[Plane]:
    """Yield the low planes of a level; its high ones are kept on the way."""
    for place, plane in enumerate(planes):
        if place % 2:
            keep(plane, level)
        else:
            yield plane


def _in_turn(low: Iterator[Plane], high: Iterator[Plane]) -> Iterator[Plane]:
    """Yield a low plane, a high plane and so on; the last may be a low one."""
    for plane in low:
        yield plane
        yield from (part for part in (next(high, None),) if part is not None)
