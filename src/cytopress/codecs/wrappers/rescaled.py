"""Stretch the used range to the bits a codec expects, and keep the limits in the bytes.

Codecs made for photographs take 12-bit camera data in uint16 for a very dark picture and spend
their bits accordingly. Stretched to the full range they see what a person sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from cytopress.codecs.codec import StreamCodec, Traits, to_dtype
from cytopress.codecs.container import Form
from cytopress.codecs.wire import take_varints, varints
from cytopress.errors import UsageError
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Rescaled(StreamCodec):
    """Map the used range of an integer image to [0, 2**bits - 1] before ``codec`` codes it.

    Decoded values are clipped to the range that the image used. A used range wider than
    ``2 ** bits`` loses its lowest bits, so only a lossy codec is served this way.

    Parameters
    ----------
    codec : StreamCodec
        A codec of uint8 (``bits`` up to 8) or uint16 images.
    bits : int
        Bits that the codec sees, 1 to 16.
    """

    codec: StreamCodec
    bits: int = 16

    name: ClassVar[str] = "rescaled"
    number: ClassVar[int] = 29
    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16"),
        bits="any",
        knob=None,
        reads_back="the same dtype",
        can_be_lossless=False,
    )

    def __post_init__(self) -> None:
        if self.bits not in range(1, 17):
            raise UsageError(f"Rescaled maps to 1 to 16 bits, not {self.bits}.")

    @property
    def lossless(self) -> bool:
        """Never: rounding to the stretched range may lose the lowest bits."""
        return False

    @property
    def exact(self) -> bool:
        """Whether the codec inside is."""
        return self.codec.exact

    def check(self, image: Image) -> None:
        """Check that this is an integer image of a form that the codec inside takes."""
        super().check(image)
        self.codec.check(Image(np.zeros(image.shape, self._dtype), bits=self.bits))

    def compress(self, image: Image) -> bytes:
        """Return the limits and the stream of the stretched image."""
        low, high = int(image.pixels.min()), int(image.pixels.max())
        scale = (2**self.bits - 1) / max(high - low, 1)
        stretched = np.rint((image.pixels - np.float64(low)) * scale).astype(self._dtype)
        stretched_image = Image(stretched, bits=self.bits, spacing_um=image.spacing_um)
        return varints(low, high - low) + self.codec.compress(stretched_image)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return pixels on the original scale."""
        (low, span), start = take_varints(stream, 2)
        inner = replace(form, dtype=self._dtype, bits=self.bits)
        stretched = self.codec.restore(stream[start:], inner).pixels
        values = low + stretched.astype(np.float64) * (span / (2**self.bits - 1))
        return to_dtype(np.clip(values, low, low + span), form)

    @property
    def _dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        return np.dtype(np.uint8) if self.bits <= 8 else np.dtype(np.uint16)
