"""The used range of an integer image, mapped to the numbers that a codec sees, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from cytopress.codecs.container.container import Form
from cytopress.codecs.container.wire import take_varints, varints
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Stretch:
    """``low`` becomes 0 and ``low + span`` becomes ``top``; in between is a straight line.

    It goes plane by plane, since a volume as floats would be four times the volume.
    """

    low: int
    span: int
    top: int

    @classmethod
    def of(cls, image: Image, top: int | None = None) -> Self:
        """Return what maps an image's used range to [0, top]; to its own width if top is None."""
        low, high = int(image.pixels.min()), int(image.pixels.max())
        return cls(low, high - low, high - low if top is None else top)

    def forward(self, plane: Pixels) -> Pixels:
        """Return whole numbers from 0 to top."""
        scale = self.top / max(self.span, 1)
        numbers: Pixels = np.rint((plane - np.float64(self.low)) * scale)
        return numbers

    def back(self, values: Pixels, form: Form) -> Pixels:
        """Return pixels of ``form``'s dtype, none outside the range that was used."""
        pixels = self.low + values.astype(np.float64) * (self.span / max(self.top, 1))
        return round_to_dtype(np.clip(pixels, self.low, self.low + self.span), form)

    def put(self) -> bytes:
        """Return this as side information of a stream."""
        return varints(self.low, self.span, self.top)

    @classmethod
    def take(cls, stream: bytes) -> tuple[Self, int]:
        """Return what `put` wrote, and the position behind it."""
        numbers, start = take_varints(stream, 3)
        return cls(*numbers), start
