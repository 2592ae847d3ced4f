"""Streams in parts: wrappers pack the streams inside theirs without joining them first."""

from __future__ import annotations

from abc import abstractmethod

from cytopress.codecs.base import Form, StreamCodec
from cytopress.codecs.decoding_errors import restored
from cytopress.image import Image


class PartsCodec(StreamCodec):
    """Base of wrappers whose stream has many parts: a volume's is in memory once, not twice."""

    @abstractmethod
    def parts(self, image: Image) -> list[bytes]:
        """Return the bare stream in parts, in order."""

    def compress(self, image: Image) -> bytes:
        """Return the parts, joined."""
        return b"".join(self.parts(image))

    def restore(self, stream: bytes | memoryview, form: Form) -> Image:
        """Return the image, as every codec does, from a view of the stream: nothing is copied."""
        return restored(self, stream, form)
