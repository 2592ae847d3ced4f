"""Mapping of pixels without their structured noise: value * 2**fraction + offset, and back.

What is subtracted may lie below zero, and has fractions of a count. A codec that maps the used
range codes both; any other gets whole counts in the dtype and bits of the image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.base import Form
from cytopress.codecs.container.wire import put_signed, put_varint
from cytopress.codecs.periodic_noise.layer import FINEST, Layer
from cytopress.errors import CorruptDataError
from cytopress.image import Image, Pixels

WIDE = np.dtype(np.uint16)
CODED = ("uint8", "uint16")


@dataclass(frozen=True)
class LinesMapping:
    """Fractional bits and offset of the pixels that the wrapped codec is given.

    ``clips`` says whether some of them do not fit; it is the encoder's, and not stored.
    """

    fraction: int
    offset: int
    clips: bool = False

    def put(self) -> bytes:
        """Return the mapping as bytes."""
        out = bytearray()
        put_varint(out, self.fraction)
        put_signed(out, self.offset)
        return bytes(out)

    def check(self, form: Form) -> None:
        """Raise CorruptDataError if no image of a form is mapped so."""
        # All values of 16 bits, with their fractions, may lie far above zero: a camera's offset.
        far = self.fraction <= FINEST and abs(self.offset) >= 2 << 16 + self.fraction
        if self.fraction > FINEST or far or form.dtype.name not in CODED:
            raise CorruptDataError("The structured noise does not fit this image.")

    def form(self, form: Form) -> Form:
        """Return the form of what the wrapped codec is given."""
        return replace(form, dtype=WIDE, bits=16) if self.fraction else form

    def inner(self, image: Image, layers: list[Layer]) -> Image:
        """Return an image without its layers, as the wrapped codec is given it."""
        form = self.form(Form.of(image))
        rest = np.empty(form.shape, form.dtype)
        for plane, part, layer in zip(planes(image.pixels), planes(rest), layers, strict=True):
            values = without(plane, layer, self.fraction) + self.offset
            part[...] = np.clip(values, 0, 2**form.bits - 1)
        return self.inner_of(image, rest)

    def inner_of(self, image: Image, rest: Pixels) -> Image:
        """Return pixels, with the meaning of an image, as the wrapped codec is given them."""
        form, limits = self.form(Form.of(image)), image.limits
        if limits is not None:
            low, high = (limit * 2**self.fraction + self.offset for limit in limits)
            limits = low, high
        return Image(
            rest.astype(form.dtype, copy=False),
            axes=image.axes,
            bits=form.bits,
            spacing_um=image.spacing_um,
            limits=limits,
        )

    def backward(self, plane: Pixels, layer: Layer, bits: int, out: Pixels) -> None:
        """Write a decoded plane with its layer, rounded to counts of so many bits, to ``out``."""
        half = 1 << self.fraction - 1 if self.fraction else 0

        def write(rows: slice, values: npt.NDArray[np.float64]) -> None:
            sums: npt.NDArray[np.int32] = values.astype(np.int32) + plane[rows]
            sums += half - self.offset
            sums >>= self.fraction
            np.clip(sums, 0, 2**bits - 1, out=sums)
            out[rows] = sums

        layer.each_band(self.fraction, write)


def planes(pixels: Pixels) -> npt.NDArray[Any]:
    """Return a plane or a stack as planes."""
    return pixels.reshape(-1, *pixels.shape[-2:])


def without(plane: Pixels, layer: Layer, fraction: int) -> npt.NDArray[np.int32]:
    """Return a plane without its layer, in units of ``2 ** -fraction`` counts."""
    return (plane.astype(np.int32) << fraction) - layer.values(fraction)


def mapping_of(image: Image, layers: list[Layer], fraction: int) -> LinesMapping:
    """Return the mapping of an image without its layers.

    Of at most so many fractional bits, but as few as keep all pixels in range. The offset is next
    to zero. Where an image uses all of its range, what lies beyond is clipped.
    """
    low, high = 2**31, -(2**31)
    for plane, layer in zip(planes(image.pixels), layers, strict=True):
        values = without(plane, layer, fraction)
        low, high = min(low, int(values.min())), max(high, int(values.max()))
    most = 2**16 - 1 if fraction else 2**image.bits - 1
    if high - low <= most:
        return LinesMapping(fraction, -low if low < 0 else min(most - high, 0))
    return mapping_of(image, layers, fraction - 1) if fraction else LinesMapping(0, 0, clips=True)
