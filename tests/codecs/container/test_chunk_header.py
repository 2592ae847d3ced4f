"""Short headers of chunks: every form and recipe comes back, and no bytes are taken for granted."""

from __future__ import annotations

import struct
from contextlib import suppress

import google_crc32c
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.container.container import Form, Recipe, of_chunk, pack, unpack
from cytopress.codecs.registry import decode
from cytopress.codecs.wrappers import Guarded, Tiled
from cytopress.errors import CorruptDataError
from cytopress.image import DTYPES, Image

MODEL = bytes(range(8))
LEARNED = Recipe(32, "", {"model": MODEL, "quality": 0.35})
RECIPES = (
    LEARNED,
    Recipe(32, "", {"model": MODEL}),
    # Of packages of several models, and of others: as in files.
    Recipe(32, "", {"model": MODEL, "quality": 3}),
    Recipe(32, "", {"model": MODEL[:5], "quality": 0.5}),
    Recipe(32, "", {"model": MODEL, "quality": 0.5, "other": 1}),
    Recipe(26, "", {"codec": LEARNED}),
    Recipe(31, "", {"codec": Recipe(25, "", {"codec": LEARNED, "levels": 2}), "max_error": 3}),
    Recipe(0, "external", {"codec": LEARNED}),
    JpegLS(near=2).recipe(),
)


def short(form: Form, recipe: Recipe, stream: bytes = b"stream") -> bytes:
    return of_chunk(pack(recipe, form, stream, {}))


def with_crc(head: bytes) -> bytes:
    return head + struct.pack("<I", google_crc32c.value(head))


@given(
    st.sampled_from(RECIPES),
    st.sampled_from(DTYPES),
    st.sampled_from([(512, 512), (1, 1), (3, 512, 512), (512, 511), (64, 32), (5, 7, 9)]),
    st.binary(max_size=9),
)
@settings(max_examples=60)
def test_every_form_and_recipe_comes_back(
    recipe: Recipe, dtype: np.dtype, shape: tuple[int, ...], stream: bytes
) -> None:
    bits = 8 * dtype.itemsize
    for each in {bits, max(bits - 4, 1)} if dtype.kind == "u" else {bits}:
        form = Form("YX" if len(shape) == 2 else "ZYX", shape, dtype, each)
        data = short(form, recipe, stream)
        header, held = unpack(data)
        assert (header.form, header.recipe, dict(header.notes)) == (form, recipe, {})
        assert bytes(held) == stream
        assert header.header_bytes == len(data) - len(stream)
        assert of_chunk(data) == data


def test_the_bytes_of_a_learned_chunk_are_frozen() -> None:
    form = Form("YX", (512, 512), np.dtype(np.uint8), 8)
    data = short(form, Recipe(26, "", {"codec": LEARNED}))
    # The mark, YX of uint8 and a square, 2 ** 9, lines, a learned codec with a quality of 35e-2.
    head = b"\xc7\x40\x09\x68\x62" + MODEL + b"\x46\x03" + b"stream"
    assert data == with_crc(head)
    assert len(data) - len(b"stream") == 19


def test_notes_and_spacing_stay_in_a_long_header() -> None:
    plain = Form("YX", (8, 8), np.dtype(np.uint8), 8)
    spaced = Form("YX", (8, 8), np.dtype(np.uint8), 8, (0.5, 0.5))
    for data in (
        pack(LEARNED, plain, b"", {"target": "ratio", "asked": 9.0}),
        pack(LEARNED, spaced, b"", {}),
    ):
        assert of_chunk(data) == data


def test_an_image_decodes_from_it() -> None:
    image = Image(np.arange(64, dtype=np.uint16).reshape(8, 8), bits=12)
    codec = Guarded(Tiled(JpegLS(near=1), tile=64), max_error=0)
    data = of_chunk(codec.encode(image))
    assert len(data) < len(codec.encode(image))
    assert decode(data) == image


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (b"\xc7", "truncated or damaged"),
        (with_crc(b"\xc7"), "ends early"),
        (with_crc(b"\xc7\xc0\x09\x62"), "unknown axes"),
        (with_crc(b"\xc7\x43\x09\x62"), "unknown axes"),
        (with_crc(b"\xc7\x40\x7f\x62"), "an image of shape"),
        (with_crc(b"\xc7\x60\x63\x09\x62"), "bit depth of 99"),
        (with_crc(b"\xc7\x00\x00\x05\x62"), "an image of shape"),
        (with_crc(b"\xc7\x40\x09\x62" + MODEL[:7]), "ends early"),
        (with_crc(b"\xc7\x40\x09" + b"\x68" * 12), "nests more"),
    ],
)
def test_damage_is_a_sentence(head: bytes, sentence: str) -> None:
    with pytest.raises(CorruptDataError, match=sentence):
        unpack(head)


@given(st.binary(max_size=40))
def test_any_bytes_are_an_error_or_a_header(data: bytes) -> None:
    with suppress(CorruptDataError):
        header, _ = unpack(with_crc(b"\xc7" + data))
        assert header.form.raw_bytes > 0


def test_one_flipped_bit_is_noticed() -> None:
    data = short(Form("YX", (512, 512), np.dtype(np.uint8), 8), LEARNED)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptDataError):
            unpack(bytes(flipped))
