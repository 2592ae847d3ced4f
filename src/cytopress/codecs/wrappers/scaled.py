"""Lower resolution: planes decimated by 2 or 4 before a codec codes them, interpolated after."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from cytopress.codecs.base import Form, StreamCodec
from cytopress.codecs.container.container import Recipe
from cytopress.codecs.options import integer_option
from cytopress.codecs.wrappers.parts import LossyWrapper
from cytopress.codecs.wrappers.resampling import (
    decimate,
    half,
    interpolate,
    interpolation_gain,
)
from cytopress.image import Image, Pixels
from cytopress.reuse import reused


@dataclass(frozen=True)
class Scaled(LossyWrapper):
    """Halve the resolution along Y and X ``levels`` times before ``codec`` codes an image.

    The filters count in integers (see `resampling`), so decoding is as exact as the codec's.

    Parameters
    ----------
    codec : StreamCodec
        The codec of the small image: uint8 or uint16, of the same axes.
    levels : int
        1 for a half of the resolution, 2 for a quarter.
    bits : int
        Significant bits of the small image, 0 for those of the image. More of them are binary
        digits behind the point, which 8-bit images gain from: means of four pixels are known
        better than a count.
    """

    codec: StreamCodec
    levels: int = 1
    bits: int = 0

    name: ClassVar[str] = "scaled"
    number: ClassVar[int] = 25

    def __post_init__(self) -> None:
        integer_option(self, "levels", 1, 2)
        integer_option(self, "bits", 0, 16)

    @property
    def deviation(self) -> int:
        """That of the codec inside, as far as interpolation may enlarge it."""
        counts = self.codec.deviation
        for _ in range(self.levels):
            counts = math.ceil(interpolation_gain() * counts)
        return counts

    def check(self, image: Image) -> None:
        """Check the image, and one of the small image's form for the wrapped codec."""
        super().check(image)
        small = self._small(Form.of(image))
        pixels = np.zeros(small.shape, small.dtype)
        self.codec.check(Image(pixels, axes=small.axes, bits=small.bits))

    def parts(self, image: Image) -> list[bytes]:
        """Return the parts of the wrapped codec."""
        return self.codec.parts(self.reduced(image))

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return pixels at the full resolution."""
        forms = self._forms(form)
        pixels = self.codec.restore(stream, forms[-1]).pixels
        for small, large in itertools.pairwise(forms[::-1]):
            pixels = _interpolated(pixels, small, large)
        return pixels

    def reduced(self, image: Image) -> Image:
        """Return an image at the lower resolution."""
        forms = self._forms(Form.of(image))
        name = f"at 1/{2**self.levels} of the resolution, {forms[-1].bits} bits"
        pixels = reused(name, [image.pixels], lambda: _decimated(image.pixels, forms))
        small, limits = forms[-1], image.limits
        if limits is not None:
            scale = 2.0 ** (small.bits - image.bits)
            limits = limits[0] * scale, limits[1] * scale
        return Image(pixels, axes=small.axes, bits=small.bits, limits=limits)

    def lost(self, image: Image) -> float:
        """Return the mean square error, in counts, that the lower resolution alone leaves."""
        forms, pixels = self._forms(Form.of(image)), self.reduced(image).pixels
        for small, large in itertools.pairwise(forms[::-1]):
            pixels = _interpolated(pixels, small, large)
        error = pixels.astype(np.float32) - image.pixels
        return float(np.mean(np.square(error, out=error), dtype=np.float64))

    def _forms(self, form: Form) -> list[Form]:
        """Return the form of an image, of it at half the resolution, and so on."""
        return [form, *self._smaller(form)]

    def _smaller(self, form: Form) -> Iterator[Form]:
        bits = max(self.bits, form.bits)
        for _ in range(self.levels):
            shape = (*form.shape[:-2], *map(half, form.shape[-2:]))
            dtype = np.dtype(np.uint8 if bits <= 8 else np.uint16)
            form = replace(form, shape=shape, bits=bits, dtype=dtype, spacing_um=None)
            yield form

    def _small(self, form: Form) -> Form:
        return self._forms(form)[-1]


def scale_of(recipe: Recipe) -> int:
    """Return by what a recipe divides the resolution; 0 where it is coded in full."""
    if recipe.number == Scaled.number:
        return int(2 ** recipe.options.get("levels", 1))
    inner = recipe.options.get("codec")
    return scale_of(inner) if isinstance(inner, Recipe) else 0


def _decimated(pixels: Pixels, forms: list[Form]) -> Pixels:
    for large, small in itertools.pairwise(forms):
        planes = pixels.reshape(-1, *large.shape[-2:])
        most, fraction = 2**small.bits - 1, small.bits - large.bits
        made = np.empty((len(planes), *small.shape[-2:]), small.dtype)
        for plane, into in zip(planes, made, strict=True):
            into[...] = decimate(plane, fraction, most)
        pixels = made.reshape(small.shape)
    return pixels


def _interpolated(pixels: Pixels, small: Form, large: Form) -> Pixels:
    planes = pixels.reshape(-1, *small.shape[-2:])
    most, fraction = 2**large.bits - 1, small.bits - large.bits
    made = np.empty((len(planes), *large.shape[-2:]), large.dtype)
    for plane, into in zip(planes, made, strict=True):
        into[...] = interpolate(plane, fraction, made.shape[1:], most)
    return made.reshape(large.shape)
