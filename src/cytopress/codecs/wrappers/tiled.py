"""Bound the memory of a codec: code square tiles of a plane one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from cytopress.codecs.codec import StreamCodec, Traits
from cytopress.codecs.container import Form
from cytopress.codecs.wire import join_streams, split_streams
from cytopress.errors import UsageError
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Tiled(StreamCodec):
    """Code tiles of at most ``tile`` x ``tile`` pixels (in every plane of a stack) with ``codec``.

    Parameters
    ----------
    codec : StreamCodec
        The codec of one tile.
    tile : int
        Edge of a tile in pixels, at least 16.
    """

    codec: StreamCodec
    tile: int = 512

    name: ClassVar[str] = "tiled"
    number: ClassVar[int] = 66
    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16", "float32"),
        bits="as the codec inside",
        knob=None,
        reads_back="as the codec inside",
        can_be_lossless=True,
    )

    def __post_init__(self) -> None:
        if self.tile < 16:
            raise UsageError(f"A tile needs an edge of at least 16 pixels, not {self.tile}.")

    @property
    def lossless(self) -> bool:
        """Whether the codec inside is."""
        return self.codec.lossless

    def check(self, image: Image) -> None:
        """Check the first tile for the codec inside."""
        super().check(image)
        self.codec.check(image.with_pixels(image.pixels[next(_tiles(image.shape, self.tile))]))

    def compress(self, image: Image) -> bytes:
        """Return the tiles' streams in row-major order, each behind its length."""
        return join_streams(
            self.codec.compress(image.with_pixels(image.pixels[tile]))
            for tile in _tiles(image.shape, self.tile)
        )

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the whole image."""
        pixels = np.empty(form.shape, form.dtype)
        tiles = list(_tiles(form.shape, self.tile))
        for tile, part in zip(tiles, split_streams(stream, len(tiles)), strict=True):
            pixels[tile] = self.codec.decompress(part, replace(form, shape=pixels[tile].shape))
        return pixels


def _tiles(shape: tuple[int, ...], edge: int) -> Iterator[tuple[slice, ...]]:
    stack = (slice(None),) * (len(shape) - 2)
    for y in range(0, shape[-2], edge):
        for x in range(0, shape[-1], edge):
            yield (*stack, slice(y, y + edge), slice(x, x + edge))
