"""Tiles cover the image, bound what a codec sees, and come back in place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.container.container import Form
from cytopress.codecs.container.wire import split_streams
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec as parse
from cytopress.codecs.targets import resolve
from cytopress.codecs.wrappers import PerPlane, Tiled
from cytopress.errors import UnsupportedImageError, UsageError
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Spy(JpegLS):
    """Note the largest image that came in either direction, and refuse thin ones if asked."""

    seen: list[tuple[int, ...]] = field(default_factory=list)
    least: int = 1

    def check(self, image: Image) -> None:
        if min(image.shape) < self.least:
            raise UnsupportedImageError("too thin")

    def compress(self, image: Image) -> bytes:
        self.seen.append(image.shape)
        return super().compress(image)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        self.seen.append(form.shape)
        return super().decompress(stream, form)


@pytest.mark.parametrize("shape", [(16, 16), (1, 1), (17, 31), (33, 16), (3, 100), (1, 257)])
def test_tiles_come_back_in_place(shape: tuple[int, int]) -> None:
    pixels = np.arange(shape[0] * shape[1], dtype=np.uint16).reshape(shape)
    image = Image(pixels, spacing_um=(2.0, 3.0))
    assert decode(Tiled(JpegLS(), tile=16).encode(image)) == image


def test_a_stack_is_tiled_in_its_planes() -> None:
    pixels = np.random.default_rng(4).integers(0, 99, (3, 20, 40), dtype=np.uint8)
    image = Image(pixels)
    for codec in (Tiled(PerPlane(JpegLS()), tile=16), PerPlane(Tiled(JpegLS(), tile=16))):
        assert decode(codec.encode(image)) == image


def test_the_codec_never_sees_more_than_a_tile() -> None:
    spy = Spy()
    image = Image(np.zeros((100, 70), np.uint16))
    codec = Tiled(spy, tile=32)
    codec.decompress(codec.compress(image), Form.of(image))
    assert max(spy.seen) == (32, 32)
    assert sum(height * width for height, width in spy.seen) == 2 * 7000


@pytest.mark.parametrize("planes", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7])
def test_blocks_along_z_come_back_in_place(count: int, planes: int) -> None:
    pixels = np.arange(count * 18 * 35, dtype=np.uint16).reshape(count, 18, 35)
    image = Image(pixels, spacing_um=(3.0, 1.0, 1.0))
    seen: list[tuple[int, ...]] = []
    codec = Tiled(PerPlane(Spy(seen=seen)), tile=16, planes=planes)
    parts = split_streams(codec.compress(image), -(-count // planes) * 2 * 3)
    assert len(seen) == count * 2 * 3
    assert sum(len(part) for part in parts) > 0
    assert decode(Tiled(Zstd(), tile=16, planes=planes).encode(image)) == image


@pytest.mark.parametrize("spec", ["zstd", "blosc2", "zfp:tolerance=3", "sz3:tolerance=3", "sperr"])
def test_a_large_volume_comes_in_blocks(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "LARGE", 40_000)
    monkeypatch.setattr(resolve, "BLOCK", (8, 32))
    rng = np.random.default_rng(5)
    image = Image(rng.integers(0, 4096, (17, 50, 60)).astype(np.uint16), bits=12)
    spec = f"{spec}:tolerance=3" if spec == "sperr" else spec
    found = parse(spec).solve(image)
    assert isinstance(found.codec, Tiled)
    assert (found.codec.planes, found.codec.tile) == (8, 32)
    error = decode(found.data).pixels.astype(int) - image.pixels
    assert np.abs(error).max() <= (0 if found.codec.lossless else 3)
    small = Image(image.pixels[:8])
    assert not isinstance(parse(spec).solve(small).codec, Tiled)


def test_the_thin_tiles_at_the_edges_are_checked_too() -> None:
    Tiled(Spy(least=2), tile=16).check(Image(np.zeros((32, 34), np.uint16)))
    with pytest.raises(UnsupportedImageError, match="thin"):
        Tiled(Spy(least=2), tile=16).check(Image(np.zeros((32, 33), np.uint16)))


def test_a_tile_has_a_least_size() -> None:
    for wrong in (0, 15, -64, 20.5):
        with pytest.raises(UsageError, match="integer"):
            Tiled(JpegLS(), tile=wrong)
