"""Range mapping: the used range of an integer image to the range that a codec codes, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from cytopress.codecs.base import Form
from cytopress.codecs.container.wire import take_varints, varints
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.image import Image, Pixels


def mapped_range(image: Image) -> tuple[int, int]:
    """Return the lowest and highest count to be coded: those of the field, where an image has them.

    Wider where pixels lie outside, since decoders clip to them: no pixel is cut off.
    """
    low, high = int(image.pixels.min()), int(image.pixels.max())
    if image.limits is not None:
        low = max(min(low, math.floor(image.limits[0])), 0)
        high = min(max(high, math.ceil(image.limits[1])), 2**image.bits - 1)
    return low, high


@dataclass(frozen=True)
class RangeMapping:
    """A straight line from ``low`` to 0 and from ``low + span`` to ``top``, in counts.

    It is applied plane by plane: a volume in floats would take four times its memory.
    """

    low: int
    span: int
    top: int

    @classmethod
    def of(cls, image: Image, top: int | None = None) -> Self:
        """Return the mapping of an image's `mapped_range` to [0, top].

        Without top, the mapping of the pixels' own range to its own width, which is lossless.
        """
        if top is None:
            low, high = int(image.pixels.min()), int(image.pixels.max())
            return cls(low, high - low, high - low)
        low, high = mapped_range(image)
        return cls(low, high - low, top)

    def forward(self, plane: Pixels) -> Pixels:
        """Return a plane as whole numbers from 0 to top."""
        scale = self.top / max(self.span, 1)
        numbers: Pixels = np.rint((plane - np.float64(self.low)) * scale)
        return numbers

    def inverse(self, values: Pixels, form: Form) -> Pixels:
        """Return pixels of ``form``'s dtype, clipped to the used range."""
        pixels = self.low + values.astype(np.float64) * (self.span / max(self.top, 1))
        return round_to_dtype(np.clip(pixels, self.low, self.low + self.span), form)

    def put(self) -> bytes:
        """Return the side information of a stream."""
        return varints(self.low, self.span, self.top)

    @classmethod
    def take(cls, stream: bytes) -> tuple[Self, int]:
        """Read what `put` wrote; return it and the position behind it."""
        numbers, start = take_varints(stream, 3)
        return cls(*numbers), start
