"""Range stretching: the used range is mapped to the bits a codec expects; the limits are stored.

To a codec made for photographs, 12-bit camera data in uint16 are a very dark picture, on which it
spends few bits. Stretched to the full range they are coded like any other picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.container.wire import take_varints, varints
from cytopress.codecs.wrappers.parts import LossyWrapper
from cytopress.codecs.wrappers.per_plane import PerPlane
from cytopress.codecs.wrappers.range_mapping import RangeMapping
from cytopress.codecs.wrappers.tiled import Tiled
from cytopress.errors import UsageError
from cytopress.image import Image, Pixels


@runtime_checkable
class StretchesRange(Protocol):
    """A codec whose lossy settings expect other bits for other images or options."""

    def stretch_bits(self, image: Image) -> int:
        """Return the bits to which the used range is stretched; 0: not at all."""


def stretch_bits(codec: StreamCodec, image: Image) -> int:
    """Return the bits to which an image's used range is stretched for a codec; 0: not at all."""
    if codec.lossless:
        return 0
    if isinstance(codec, StretchesRange):
        return codec.stretch_bits(image)
    return codec.traits.stretch


@dataclass(frozen=True)
class Rescaled(LossyWrapper):
    """Map the used range of an integer image to [0, 2**bits - 1] before ``codec`` codes it.

    Decoded values are clipped to the used range. A used range wider than ``2 ** bits`` loses its
    lowest bits, so this is for lossy codecs only.

    Parameters
    ----------
    codec : StreamCodec
        A codec of uint8 (``bits`` up to 8) or uint16 images.
    bits : int
        Bits of the stretched range, 1 to 16.
    """

    codec: StreamCodec
    bits: int = 16

    name: ClassVar[str] = "rescaled"
    number: ClassVar[int] = 29

    def __post_init__(self) -> None:
        if self.bits not in range(1, 17):
            raise UsageError(f"Rescaled maps to 1 to 16 bits, not {self.bits}.")

    def check(self, image: Image) -> None:
        """Check the image, and its stretched form for the wrapped codec."""
        super().check(image)
        self.codec.check(Image(np.zeros(image.shape, self._dtype), bits=self.bits))

    def parts(self, image: Image) -> list[bytes]:
        """Return the limits and the parts of the wrapped codec."""
        stretch = RangeMapping.of(image, self._top)
        return [varints(stretch.low, stretch.span), *self._inner(stretch).parts(image)]

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return pixels on the original scale."""
        (low, span), start = take_varints(stream, 2)
        return self._inner(RangeMapping(low, span, self._top)).restore(stream[start:], form).pixels

    def _inner(self, stretch: RangeMapping) -> StreamCodec:
        return _wrap_part(
            self.codec, lambda codec: Stretched(codec, stretch, self._dtype, self.bits)
        )

    @property
    def _top(self) -> int:
        return (1 << int(self.bits)) - 1

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8 if self.bits <= 8 else np.uint16)


@dataclass(frozen=True)
class Stretched(StreamCodec):
    """The codec of one plane or tile, stretched: so only one part is in memory twice.

    It is in no file: the limits are those of the whole image, which `Rescaled` stores.
    """

    codec: StreamCodec
    stretch: RangeMapping
    inside: np.dtype[Any]
    bits: int

    name: ClassVar[str] = "stretched"
    number: ClassVar[int] = 0
    traits: ClassVar[Traits] = Rescaled.traits

    @property
    def lossless(self) -> bool:
        """Always false."""
        return False

    @property
    def exact(self) -> bool:
        """As the codec inside."""
        return self.codec.exact

    def compress(self, image: Image) -> bytes:
        """Return the stream of the stretched part."""
        pixels = self.stretch.forward(image.pixels).astype(self.inside)
        return self.codec.compress(Image(pixels, bits=self.bits, spacing_um=image.spacing_um))

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the part on the original scale."""
        inner = replace(form, dtype=self.inside, bits=self.bits)
        return self.stretch.inverse(self.codec.restore(stream, inner).pixels, form)


def _wrap_part(codec: StreamCodec, wrap: Callable[[StreamCodec], StreamCodec]) -> StreamCodec:
    """Wrap the codec of a part, inside the wrappers that cut an image into parts."""
    if isinstance(codec, PerPlane | Tiled):
        return replace(codec, codec=_wrap_part(codec.codec, wrap))
    return wrap(codec)
