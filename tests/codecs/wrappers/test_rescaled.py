"""Stretching keeps the limits, the mean, and every level where there is room for it."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.container.container import Form
from cytopress.codecs.registry import decode
from cytopress.codecs.wrappers import PerPlane, Rescaled, Tiled
from cytopress.errors import UnsupportedImageError, UsageError
from cytopress.image import Image

pytestmark = pytest.mark.both_numpy


@pytest.mark.parametrize("offset", [0, 100, 32768, 61440])
@pytest.mark.parametrize("bits", [12, 14, 16])
def test_levels_that_have_room_come_back_exactly(offset: int, bits: int) -> None:
    levels = np.random.default_rng(1).integers(0, 4096, (20, 30)).astype(np.uint16) + offset
    image = Image(levels.astype(np.uint16))
    assert decode(Rescaled(JpegLS(), bits=bits).encode(image)) == image


def test_too_few_bits_round_without_bias() -> None:
    pixels = np.random.default_rng(2).integers(50, 65000, (200, 200), dtype=np.uint16)
    back = decode(Rescaled(JpegLS(), bits=8).encode(Image(pixels))).pixels
    error = back.astype(float) - pixels
    step = (pixels.max() - pixels.min()) / 255
    assert np.abs(error).max() <= step / 2 + 0.5
    assert abs(error.mean()) < 4 * error.std() / 200


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_constant_image_comes_back(value: int) -> None:
    image = Image(np.full((3, 4), value, np.uint16))
    assert decode(Rescaled(JpegLS(near=200)).encode(image)) == image


def test_nothing_leaves_the_range_that_was_used(micrograph: Image) -> None:
    back = decode(Rescaled(JpegLS(near=255), bits=10).encode(micrograph)).pixels
    assert back.min() >= micrograph.pixels.min()
    assert back.max() <= micrograph.pixels.max()


def test_8_bits_reach_a_codec_as_uint8(micrograph: Image) -> None:
    # jpegls takes no near above 127 for uint8, so this is seen in what it refuses.
    Rescaled(JpegLS(near=200), bits=9).check(micrograph)
    with pytest.raises(UnsupportedImageError, match="uint8"):
        Rescaled(JpegLS(near=200), bits=8).check(micrograph)


def test_wrong_bits_are_refused() -> None:
    for bits in (0, 17, 2.5):
        with pytest.raises(UsageError, match="1 to 16"):
            Rescaled(JpegLS(), bits=bits)


def test_a_stack_is_stretched_as_a_whole_and_one_plane_at_a_time() -> None:
    """The darkest plane is not stretched by itself, and no plane is stretched before its turn."""
    seen: list[tuple[int, ...]] = []

    class Spy(JpegLS):
        def compress(self, image: Image) -> bytes:
            seen.append((*image.shape, int(image.pixels.max())))
            return super().compress(image)

    pixels = np.zeros((3, 18, 20), np.uint16)
    pixels[0, 0, 0], pixels[2, 0, 0] = 400, 2000
    image = Image(pixels)
    codec = Rescaled(Tiled(PerPlane(Spy()), tile=32), bits=12)
    stream = codec.compress(image)
    assert seen == [(18, 20, 819), (18, 20, 0), (18, 20, 4095)]
    back = codec.decompress(stream, Form.of(image))
    assert np.array_equal(back, pixels)
