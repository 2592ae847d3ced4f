"""Crafted streams whose own header claims another image: no library sees them."""

from dataclasses import replace

import numpy as np
import pytest

from cytopress.codecs.adapters import headers
from cytopress.codecs.base import Form, StreamCodec
from cytopress.codecs.registry import FAMILIES
from cytopress.errors import CorruptDataError
from cytopress.image import Image

# Their streams say no size: they are decoded into a buffer of the promised one, or frame by frame.
WITHOUT = {"zstd", "round-zstd", "blosc2", "hevc", "av1"}
SHAPES = [(1, 1), (1, 40), (40, 1), (8, 16), (33, 65), (300, 500), (3, 9, 17), (1, 9, 17)]


def codec_of(family: type[StreamCodec], dtype: str) -> StreamCodec:
    parameter = family.traits.parameter
    options = {} if family.traits.can_be_lossless else {parameter.name: parameter.value_at(0.5)}
    return family(**options)


def cases() -> list[tuple[type[StreamCodec], str, tuple[int, ...]]]:
    return [
        (family, dtype, shape)
        for family in FAMILIES
        if family.name not in WITHOUT
        for dtype in family.traits.dtypes
        for shape in SHAPES
        if len(shape) in family.traits.dims
    ]


@pytest.mark.parametrize(("family", "dtype", "shape"), cases())
def test_the_header_says_the_shape_that_was_coded(
    family: type[StreamCodec], dtype: str, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    bits = {"avif": 10}.get(family.name, 12) if dtype == "uint16" else 0
    image, codec = Image(pixels, bits=bits), codec_of(family, dtype)
    stream, form = codec.compress(image), Form.of(image)
    coded = codec.coded_shape(stream)
    assert [n for n in coded if n > 1] == [n for n in shape if n > 1]
    assert codec.restore(stream, form).shape == shape

    def never(*_: object) -> None:
        pytest.fail("the library was called")

    monkeypatch.setattr(family, "decompress", never)
    for other in ((shape[0] + 1, *shape[1:]), (*shape[:-1], 2 * shape[-1] + 1)):
        with pytest.raises(CorruptDataError, match="promised"):
            codec.restore(stream, replace(form, shape=other))
    with pytest.raises(CorruptDataError):
        codec.restore(stream[:3], form)


@pytest.mark.parametrize(
    ("size", "bits"),
    # ISO/IEC 18181-1, SizeHeader: sizes in eights and in pixels, and one by a ratio.
    [((256, 256), "1" + "11111" + "100"), ((300, 400), "0" + "00" + "110101001" + "110")],
)
def test_size_headers_of_jpeg_xl(size: tuple[int, int], bits: str) -> None:
    number = int(bits[::-1], 2)
    assert headers.jpegxl(b"\xff\x0a" + number.to_bytes(16, "little")) == size
