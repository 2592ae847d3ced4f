"""TIFF tiles as codecs: what a TIFF file stores of an image, so that a target can be met with it.

Unlike the codecs of `codecs.registry` these code pixels as every TIFF reader expects them: no
stretched range, no byte shuffle, and tiles of one size, the last ones filled up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import imagecodecs
import numpy as np

from cytopress.codecs.adapters.round_zstd import rounded
from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.container.wire import length_prefixed, split_views
from cytopress.codecs.traits import ALL_DTYPES
from cytopress.codecs.wrappers.parts import PiecesCodec
from cytopress.image import Image, Pixels

# The edges of a TIFF tile are multiples of it.
UNIT = 16


@dataclass(frozen=True, repr=False)
class Predicted(StreamCodec):
    """Deflate or Zstandard of differences along rows (TIFF's predictor 2), of rounded pixels.

    Floats are stored without a predictor: few readers know the one for floats.

    Parameters
    ----------
    coder : {"deflate", "zstd"}
        The entropy coder.
    level : int
        Its effort.
    step : float
        Pixels are rounded to multiples of it, in counts; 0 is lossless.
    """

    coder: str
    level: int
    step: float = 0.0

    name: ClassVar[str] = "tiff-predicted"
    number: ClassVar[int] = 0
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=ALL_DTYPES,
        bits="any",
        parameter=None,
        reads_back="the same dtype, within half a step",
        can_be_lossless=True,
    )

    def __repr__(self) -> str:
        step = f", step={self.step:g}" if self.step else ""
        return f"{self.coder.capitalize()}(level={self.level}{step})"

    @property
    def lossless(self) -> bool:
        """Whether nothing is rounded."""
        return self.step == 0

    def compress(self, image: Image) -> bytes:
        """Return the coded tile."""
        pixels = rounded(image, self.step) if self.step else image.pixels
        little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
        if little.dtype.kind in "ui":
            little = np.asarray(imagecodecs.delta_encode(little, axis=-1))
        raw = little.tobytes()
        if self.coder == "deflate":
            return bytes(imagecodecs.deflate_encode(raw, level=self.level))
        return bytes(imagecodecs.zstd_encode(raw, level=self.level))

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the tile."""
        decode = imagecodecs.deflate_decode if self.coder == "deflate" else imagecodecs.zstd_decode
        raw = decode(stream, out=form.raw_bytes)
        pixels = np.frombuffer(raw, form.dtype.newbyteorder("<")).reshape(form.shape)
        if pixels.dtype.kind in "ui":
            pixels = np.asarray(imagecodecs.delta_decode(pixels, axis=-1))
        return pixels.astype(form.dtype, copy=False)


@dataclass(frozen=True)
class TiffTiles(PiecesCodec):
    """Code the planes of an image in tiles, each as ``codec`` codes it.

    Tiles at the edges are filled up with their last rows and columns.

    Parameters
    ----------
    codec : StreamCodec
        What codes a tile.
    tile : int
        Largest edge of a tile, in pixels: a multiple of 16.
    """

    codec: StreamCodec
    tile: int = 512

    name: ClassVar[str] = "tiff-tiles"
    number: ClassVar[int] = 0

    def check(self, image: Image) -> None:
        """Check that the codec of a tile takes the image's pixels."""
        super().check(image)
        self.codec.check(Image(np.zeros((UNIT, UNIT), image.dtype), bits=image.bits))

    @property
    def shown(self) -> str:
        """The codec of a tile and its edge, for people."""
        return f"{self.codec!r} in tiles of {self.tile} pixels"

    def edges(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return rows and columns of a tile of an image of this shape."""
        rows, columns = (min(self.tile, -(-length // UNIT) * UNIT) for length in shape[-2:])
        return rows, columns

    def tiles(self, image: Image) -> Iterator[bytes]:
        """Yield the coded tiles, plane by plane, in row-major order."""
        rows, columns = self.edges(image.shape)
        for plane in image.pixels.reshape(-1, *image.shape[-2:]):
            down, right = -plane.shape[0] % rows, -plane.shape[1] % columns
            padded = np.pad(plane, ((0, down), (0, right)), mode="edge")
            for y in range(0, padded.shape[0], rows):
                for x in range(0, padded.shape[1], columns):
                    tile = padded[y : y + rows, x : x + columns]
                    yield self.codec.compress(Image(tile, bits=image.bits))

    def parts(self, image: Image) -> list[bytes]:
        """Return the tiles, length-prefixed."""
        return length_prefixed(self.tiles(image))

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the image."""
        rows, columns = self.edges(form.shape)
        planes = np.empty(form.shape, form.dtype).reshape(-1, *form.shape[-2:])
        across = [range(0, n, e) for n, e in zip(form.shape[-2:], (rows, columns), strict=True)]
        places = [(p, y, x) for p in range(len(planes)) for y in across[0] for x in across[1]]
        inner = replace(form, axes="YX", shape=(rows, columns), spacing_um=None)
        for (p, y, x), part in zip(places, split_views(stream, len(places)), strict=True):
            tile = self.codec.restore(part, inner).pixels
            there = planes[p, y : y + rows, x : x + columns]
            there[...] = tile[: there.shape[0], : there.shape[1]]
        return planes.reshape(form.shape)


def tiles_of(stream: bytes | memoryview, codec: TiffTiles, shape: tuple[int, ...]) -> list[bytes]:
    """Return the tiles of a stream that ``codec`` made of an image of this shape."""
    rows, columns = codec.edges(shape)
    planes = shape[0] if len(shape) == 3 else 1
    count = planes * -(-shape[-2] // rows) * -(-shape[-1] // columns)
    return [bytes(part) for part in split_views(stream, count)]
