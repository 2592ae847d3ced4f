"""Streams in parts: wrappers pack the streams inside theirs without joining them first."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.decoding_errors import restored
from cytopress.codecs.traits import ALL_DTYPES
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


class PiecesCodec(PartsCodec):
    """Base of codecs of pieces of an image, each of which is coded as ``codec`` codes it."""

    codec: StreamCodec

    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=ALL_DTYPES,
        bits="as the wrapped codec",
        parameter=None,
        reads_back="as the wrapped codec",
        can_be_lossless=True,
    )

    @property
    def lossless(self) -> bool:
        """That of the wrapped codec."""
        return self.codec.lossless

    @property
    def exact(self) -> bool:
        """That of the wrapped codec."""
        return self.codec.exact


class LossyWrapper(PartsCodec):
    """Base of wrappers that change integer pixels before ``codec`` codes them, with a loss."""

    codec: StreamCodec

    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16"),
        bits="any",
        parameter=None,
        reads_back="the same dtype",
        can_be_lossless=False,
    )

    @property
    def lossless(self) -> bool:
        """Never, whatever the wrapped codec is."""
        return False

    @property
    def exact(self) -> bool:
        """That of the wrapped codec."""
        return self.codec.exact
