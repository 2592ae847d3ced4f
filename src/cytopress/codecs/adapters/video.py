"""Video codecs: the planes of a stack are the frames of a bare elementary stream."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from cytopress.codecs.adapters.ffmpeg import VideoFormat
from cytopress.codecs.base import Form, StreamCodec
from cytopress.codecs.decoding_errors import restored
from cytopress.codecs.wrappers.range_mapping import RangeMapping
from cytopress.errors import CodecError
from cytopress.image import Image, Pixels


class VideoCodec(StreamCodec):
    """Base of the adapters: the used range, then the elementary stream of its frames.

    The option ``bits`` is the largest coded bit depth; `_setting` gives the encoder's options.
    """

    video: ClassVar[VideoFormat]
    bits: int

    @abstractmethod
    def _setting(self) -> tuple[int, dict[str, str]]:
        """Return the value to which the brightest pixel is mapped, and the encoder's options."""

    def check(self, image: Image) -> None:
        """Refuse to code losslessly what has more levels than the coded bits."""
        super().check(image)
        if self.lossless:
            self._lossless_bits(RangeMapping.of(image))

    def compress(self, image: Image) -> bytes:
        """Return the used range and an elementary stream."""
        top, options = self._setting()
        stretch = RangeMapping.of(image) if self.lossless else RangeMapping.of(image, top)
        bits = self._lossless_bits(stretch) if self.lossless else self.bits
        planes = _planes_of(image)
        frames = (stretch.forward(plane).astype(np.uint16) for plane in planes)
        stream = stretch.put() + self.video.encode(frames, planes.shape, bits, options)
        return self._verified(stream, image) if self.lossless else stream

    def restore(self, stream: bytes | memoryview, form: Form) -> Image:
        """Return the image, as every codec does, from a view of the stream: nothing is copied."""
        return restored(self, stream, form)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels."""
        stretch, start = RangeMapping.take(stream)
        pixels = np.empty(form.shape, form.dtype)
        planes = pixels.reshape((-1, *form.shape[-2:]))
        frames = self.video.decode(stream[start:], planes.shape)
        for plane, frame in zip(planes, frames, strict=True):
            plane[...] = stretch.inverse(frame, form)
        return pixels

    def _lossless_bits(self, stretch: RangeMapping) -> int:
        return self.video.depth(self.name, stretch.span, self.bits)

    def _verified(self, stream: bytes, image: Image) -> bytes:
        """Return a lossless stream, having decoded it and compared every pixel.

        Both encoders were seen to fail here, and decoding takes little time beside encoding.
        """
        planes, form = _planes_of(image), Form.of(image)
        stretch, start = RangeMapping.take(stream)
        frames = self.video.decode(stream[start:], planes.shape)
        pairs = zip(planes, frames, strict=True)
        if not all(np.array_equal(plane, stretch.inverse(frame, form)) for plane, frame in pairs):
            raise CodecError(f"{self.video.encoder} coded this image wrongly; use another codec.")
        return stream


def _planes_of(image: Image) -> Pixels:
    """Return the pixels as (Z, Y, X), a plane as a volume of one."""
    pixels: Pixels = image.pixels.reshape((-1, *image.shape[-2:]))
    return pixels
