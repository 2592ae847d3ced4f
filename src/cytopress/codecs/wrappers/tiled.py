"""Bound the memory of a codec: code square tiles of a plane one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from cytopress.codecs import progress
from cytopress.codecs.codec import StreamCodec, Traits
from cytopress.codecs.container import Form
from cytopress.codecs.wire import join_streams, split_streams
from cytopress.errors import UsageError
from cytopress.image import Image, Pixels

LEAST_TILE = 16  # below, every tile's own overhead outweighs its pixels


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
    number: ClassVar[int] = 30
    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16", "float32"),
        bits="as the codec inside",
        knob=None,
        reads_back="as the codec inside",
        can_be_lossless=True,
    )

    def __post_init__(self) -> None:
        if self.tile != int(self.tile) or self.tile < LEAST_TILE:
            raise UsageError(
                f"tile is a whole number of pixels from {LEAST_TILE} on, not {self.tile}."
            )

    @property
    def lossless(self) -> bool:
        """Whether the codec inside is."""
        return self.codec.lossless

    @property
    def exact(self) -> bool:
        """Whether the codec inside is."""
        return self.codec.exact

    def leaving(self, share: float) -> Self:
        """Return tiles of what the codec inside returns."""
        return replace(self, codec=self.codec.leaving(share))

    def rounding(self) -> tuple[int, StreamCodec]:
        """Return what the codec inside rounds to, and tiles of the rest."""
        step, rest = self.codec.rounding()
        return step, replace(self, codec=rest)

    def check(self, image: Image) -> None:
        """Check each tile for the codec inside: those at the edges are smaller."""
        super().check(image)
        for tile in _tiles(image.shape, self.tile):
            self.codec.check(image.with_pixels(image.pixels[tile]))

    def compress(self, image: Image) -> bytes:
        """Return the tiles' streams in row-major order, each behind its length."""
        return join_streams(
            self.codec.compress(image.with_pixels(image.pixels[tile]))
            for tile in progress.track([*_tiles(image.shape, self.tile)])
        )

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the whole image."""
        rows, columns = (-(-length // self.tile) for length in form.shape[-2:])
        parts = split_streams(stream, rows * columns)
        pixels = np.empty(form.shape, form.dtype)
        for tile, part in progress.track([*zip(_tiles(form.shape, self.tile), parts, strict=True)]):
            tile_form = replace(form, shape=pixels[tile].shape)
            pixels[tile] = self.codec.restore(part, tile_form).pixels
        return pixels


def _tiles(shape: tuple[int, ...], edge: int) -> Iterator[tuple[slice, ...]]:
    stack = (slice(None),) * (len(shape) - 2)
    for y in range(0, shape[-2], edge):
        for x in range(0, shape[-1], edge):
            yield (*stack, slice(y, y + edge), slice(x, x + edge))
