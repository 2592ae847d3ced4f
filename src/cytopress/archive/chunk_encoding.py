"""Chunk encoding: pixels of a chunk to a container, by the codec that the array's metadata name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytopress.archive.chunk_form import ChunkForm, last_axes
from cytopress.archive.edge_chunks import cropped
from cytopress.archive.learned_slots import learned_slot
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.targets import resolve
from cytopress.codecs.targets.lines_choice import encode_better
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import CodecError
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class ChunkCoding:
    """How chunks are coded: a request at a native setting, and what the field says of them."""

    request: CodecRequest
    limits: tuple[float, float] | None
    bits: int

    def codec(self, image: Image) -> StreamCodec:
        """Return the codec of a chunk."""
        found = resolve.resolve(self.request, image)
        assert isinstance(found, StreamCodec)
        return found

    def image(self, pixels: Pixels) -> Image:
        """Return a chunk (Y, X) or (Z, Y, X) as a part of its field."""
        return Image(pixels, bits=self.bits, limits=self.limits)

    def check(self, form: ChunkForm) -> None:
        """Raise UnsupportedImageError if no such chunk can be coded."""
        image = self.image(np.zeros(self.inner_shape(form), form.dtype))
        self.codec(image).check(image)

    def inner_shape(self, form: ChunkForm) -> tuple[int, ...]:
        """Return the shape (Y, X) or (Z, Y, X) that the codec is given."""
        axes = 3 if 2 not in self.request.family.traits.dims else 2
        if form.shape[-3:-2] not in ((), (1,)):
            axes = 3
        return last_axes(form.shape, axes)

    def encode(self, chunk: Pixels, form: ChunkForm) -> bytes | None:
        """Return a chunk as a container, without the tail of fill values.

        None: it is nothing but a fill value that is no number, which a container cannot hold.
        """
        whole = chunk.reshape(self.inner_shape(form))
        pixels = cropped(whole, form.fill)
        if pixels is None:
            corner = np.full((1,) * whole.ndim, form.fill, whole.dtype)
            return Zstd().encode(Image(corner)) if np.isfinite(form.fill) else None
        image = self.image(pixels)
        codec = self.codec(image)
        try:
            with learned_slot(codec):
                return encode_better(self.request, image)
        except CodecError:
            if pixels.shape == whole.shape:
                raise
            # A narrow rest at an edge, too small for the codec's library.
            return Zstd().encode(image)
