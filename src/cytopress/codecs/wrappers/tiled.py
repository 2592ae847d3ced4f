"""Tiles of a plane or blocks of a stack, coded one by one: this bounds a codec's memory."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from cytopress.codecs import progress
from cytopress.codecs.base import Form, StreamCodec
from cytopress.codecs.container.wire import length_prefixed, split_views
from cytopress.codecs.wrappers.parts import PiecesCodec
from cytopress.errors import UsageError
from cytopress.image import Image, Pixels

LEAST_TILE = 16  # in smaller ones, every tile's own overhead outweighs its pixels


@dataclass(frozen=True)
class Tiled(PiecesCodec):
    """Code tiles of at most ``tile`` x ``tile`` pixels (x ``planes`` in a stack) with ``codec``.

    Parameters
    ----------
    codec : StreamCodec
        The codec of one tile.
    tile : int
        Edge of a tile in pixels, at least 16.
    planes : int
        Planes of a stack in one block; 0: all of them.
    """

    codec: StreamCodec
    tile: int = 512
    planes: int = 0

    name: ClassVar[str] = "tiled"
    number: ClassVar[int] = 30

    def __post_init__(self) -> None:
        if self.tile != int(self.tile) or self.tile < LEAST_TILE:
            raise UsageError(
                f"tile is an integer of at least {LEAST_TILE} pixels, not {self.tile}."
            )
        if self.planes != int(self.planes) or self.planes < 0:
            raise UsageError(f"planes is an integer of at least 0, not {self.planes}.")

    def check(self, image: Image) -> None:
        """Check each tile for the wrapped codec: tiles at the edges are smaller."""
        super().check(image)
        for tile in self._tiles(image.shape):
            self.codec.check(image.with_pixels(image.pixels[tile]))

    def parts(self, image: Image) -> list[bytes]:
        """Return the tiles' streams in row-major order, length-prefixed."""
        return length_prefixed(
            self.codec.compress(image.with_pixels(image.pixels[tile]))
            for tile in progress.track(self._tiles(image.shape))
        )

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the whole image."""
        edges = (self.planes or form.shape[0], self.tile, self.tile)[-len(form.shape) :]
        counts = [-(-length // edge) for length, edge in zip(form.shape, edges, strict=True)]
        parts = split_views(stream, math.prod(counts))
        pixels = np.empty(form.shape, form.dtype)
        for tile, part in progress.track([*zip(self._tiles(form.shape), parts, strict=True)]):
            tile_form = replace(form, shape=pixels[tile].shape)
            pixels[tile] = self.codec.restore(part, tile_form).pixels
        return pixels

    def _tiles(self, shape: tuple[int, ...]) -> list[tuple[slice, ...]]:
        edges = (self.planes or shape[0], self.tile, self.tile)[-len(shape) :]
        axes = [
            [slice(start, start + edge) for start in range(0, length, edge)]
            for length, edge in zip(shape, edges, strict=True)
        ]
        return list(itertools.product(*axes))
