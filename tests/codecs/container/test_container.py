"""The container: what it says comes back, and no damaged or crafted bytes get through."""

from __future__ import annotations

import struct
import tracemalloc

import google_crc32c
import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container import container
from cytopress.codecs.container.container import (
    MAGIC,
    Form,
    Recipe,
    pack,
    pack_parts,
    unpack,
)
from cytopress.codecs.container.form import MOST_BYTES
from cytopress.codecs.container.wire import join_streams, put_varint, varints
from cytopress.codecs.registry import build, decode
from cytopress.codecs.wrappers import Guarded, PerPlane, Rescaled, Tiled
from cytopress.errors import CorruptDataError
from cytopress.image import Image

PIXELS = np.random.default_rng(0).integers(0, 4096, (5, 7), dtype=np.uint16)
IMAGE = Image(PIXELS, bits=12, spacing_um=(0.108333, 0.108333))
NOTES = {"target": "psnr", "asked": 40.0, "reached": 40.01, "range": 3000.0}
UINT16, FLOAT32 = np.dtype(np.uint16), np.dtype(np.float32)


def sealed(body: bytes) -> bytes:
    """Return a crafted file: anything, with the checksum that belongs to it."""
    return body + struct.pack("<I", google_crc32c.value(body))


def crafted(form: Form, codec: StreamCodec | Recipe, stream: bytes) -> bytes:
    recipe = codec if isinstance(codec, Recipe) else codec.recipe()
    return pack(recipe, form, stream, {})


def small_files() -> dict[str, bytes]:
    stack = Image(np.stack([PIXELS, PIXELS + 1]), bits=13, spacing_um=(0.29, 0.1, 0.1))
    guarded = Guarded(Rescaled(JpegLS(near=5)), max_error=2)
    return {
        "plain": JpegLS().encode(IMAGE, NOTES),
        "wrapped": guarded.encode(IMAGE, NOTES),
        "stack": PerPlane(Tiled(JpegLS(), tile=16)).encode(stack),
    }


@pytest.mark.parametrize("name", small_files())
def test_every_flipped_bit_is_detected(name: str) -> None:
    data = small_files()[name]
    decode(data)
    for position in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            with pytest.raises(CorruptDataError):
                decode(bytes(damaged))


@pytest.mark.parametrize("name", small_files())
def test_every_truncation_and_any_extra_byte_is_detected(name: str) -> None:
    data = small_files()[name]
    for length in range(len(data)):
        with pytest.raises(CorruptDataError):
            decode(data[:length])
    for extra in (b"\0", b"\xff", data):
        with pytest.raises(CorruptDataError):
            decode(data + extra)


def test_the_checksum_is_crc32c_of_every_byte_before_it() -> None:
    # The check value of CRC-32C from the literature, then the rule itself.
    assert google_crc32c.value(b"123456789") == 0xE3069283
    data = JpegLS().encode(IMAGE)
    assert data == sealed(data[:-4])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a cytopress file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not a cytopress file"),
        (b"cyto", "truncated"),
        (b"cyto" + bytes(30), "checksum"),
        (sealed(b"cyto\x02" + bytes(30)), "format 2"),
        (sealed(b"cyto\x01\x03\x08"), "unknown axes"),
        (sealed(b"cyto\x01\x84\x08"), "unknown axes"),
        (sealed(b"cyto\x01"), "ends early"),
    ],
)
def test_foreign_bytes_get_one_clear_sentence(data: bytes, message: str) -> None:
    with pytest.raises(CorruptDataError, match=message) as caught:
        decode(data)
    assert str(caught.value).count(". ") == 0
    assert str(caught.value).endswith(".")


@given(
    dtype=st.sampled_from(["uint8", "uint16", "float32"]),
    # Of float32 no more than the most that a container may promise.
    shape=st.lists(st.integers(1, 2**12), min_size=2, max_size=3),
    bits=st.integers(1, 8),
    # Along one of the first two axes at least it is known.
    spacing=st.none()
    | st.tuples(st.floats(1e-6, 1e6), *[st.none() | st.floats(1e-6, 1e6)] * 2)
    | st.tuples(st.none(), *[st.floats(1e-6, 1e6)] * 2),
    stream=st.binary(max_size=50),
    notes=st.fixed_dictionaries(
        {},
        optional={"reached": st.floats(0, 1e9), "range": st.floats(1e-3, 1e9)},
    ),
    target=st.none() | st.sampled_from(["max_error", "sigma", "psnr", "ratio"]),
)
def test_what_is_packed_comes_back(dtype, shape, bits, spacing, stream, notes, target) -> None:
    form = Form(
        "ZYX" if len(shape) == 3 else "YX",
        tuple(shape),
        np.dtype(dtype),
        32 if dtype == "float32" else bits,
        None if spacing is None else tuple(spacing[: len(shape)]),
    )
    if target:
        notes |= {"target": target, "asked": 4.5, "a": 1.5, "b": 20.25, "offset": 100.0}
    recipe = Recipe(0, "someone's", {"near": 3, "mode": "fast"})
    data = pack(recipe, form, stream, notes)
    header, taken = unpack(data)
    assert (header.form, header.recipe, dict(header.notes), taken) == (form, recipe, notes, stream)
    assert header.header_bytes == len(data) - len(stream)


def test_bytes_may_come_as_any_buffer() -> None:
    data = JpegLS().encode(IMAGE)
    assert decode(bytearray(data)) == decode(memoryview(data)) == IMAGE


def test_notes_that_the_header_has_no_place_for_are_a_bug() -> None:
    for notes in ({"color": 1.0}, {"asked": 3.0}):
        with pytest.raises(ValueError, match="note"):
            pack(JpegLS().recipe(), Form.of(IMAGE), b"", notes)


PLANE = Form("YX", (5, 7), UINT16, 12)
STREAM = JpegLS().compress(IMAGE)
TERA = 2**39


@pytest.mark.parametrize(
    ("form", "codec"),
    [
        (Form("YX", (0, 7), UINT16, 12), JpegLS()),
        (Form("YX", (2**40, 2**40), UINT16, 12), JpegLS()),
        (Form("YX", (1, MOST_BYTES), UINT16, 12), JpegLS()),
        (Form("YX", (1, TERA // 2), UINT16, 12), JpegLS()),
        (Form("YX", (1, 1), UINT16, 12), JpegLS()),
        (Form("YX", (5, 7), np.dtype(np.uint8), 8), JpegLS()),
        (Form("YX", (5, 7), FLOAT32, 32), JpegLS()),
        (Form("YX", (5, 7), FLOAT32, 12), JpegLS()),
        (Form("YX", (5, 7), UINT16, 0), JpegLS()),
        (Form("YX", (5, 7), UINT16, 17), JpegLS()),
        (Form("YX", (5, 7), UINT16, 12, (0.0, 0.0)), JpegLS()),
        (Form("YX", (5, 7), UINT16, 12, (-1.0, -1.0)), JpegLS()),
        (Form("ZYX", (1, 5, 7), UINT16, 12), JpegLS()),
        (Form("ZYX", (TERA // 2, 1, 1), UINT16, 12), PerPlane(JpegLS())),
        (PLANE, PerPlane(JpegLS())),
        (Form("YX", (2**19, 2**19), UINT16, 12), Tiled(JpegLS(), tile=16)),
        (Form("YX", (2**19, 2**19), UINT16, 12), Guarded(JpegLS())),
        (PLANE, Rescaled(JpegLS())),
        (PLANE, Guarded(JpegLS())),
        (PLANE, PerPlane(PerPlane(JpegLS()))),
        (PLANE, Recipe(3999)),
        (Form("ZYX", (5, 7, 1), UINT16, 12), Rescaled(JpegLS())),
        (PLANE, Recipe(0, "nobody's")),
        (PLANE, Recipe(4, "", {"near": 256})),
        (PLANE, Recipe(4, "", {"near": "three"})),
        (PLANE, Recipe(4, "", {"near": None})),
        (PLANE, Recipe(4, "", {"near": JpegLS().recipe()})),
        (PLANE, Recipe(4, "", {"near": 1e300})),
        (PLANE, Recipe(4, "", {"__class__": 1})),
        (PLANE, Recipe(4, "", {"codec": JpegLS().recipe()})),
        (PLANE, Recipe(30, "", {"codec": JpegLS().recipe(), "tile": 0})),
        (PLANE, Recipe(29, "", {"codec": JpegLS().recipe(), "bits": 999})),
        (PLANE, Recipe(31, "", {"codec": JpegLS().recipe(), "max_error": -1})),
    ],
    ids=str,
)
def test_a_crafted_header_is_refused(form: Form, codec: StreamCodec | Recipe) -> None:
    """The checksum is right, and still nothing but CorruptDataError comes, and at once."""
    for stream in (STREAM, b"", join_streams([STREAM])):
        with pytest.raises(CorruptDataError) as caught:
            decode(crafted(form, codec, stream))
        assert str(caught.value).strip()


def test_a_crafted_length_of_the_stream_is_refused() -> None:
    honest = crafted(PLANE, JpegLS(), STREAM)
    head = honest[: len(honest) - 4 - len(STREAM) - len(varints(len(STREAM)))]
    for length in (0, len(STREAM) - 1, len(STREAM) + 1, 2**63):
        body = bytearray(head)
        put_varint(body, length)
        with pytest.raises(CorruptDataError, match="declares a stream"):
            decode(sealed(bytes(body) + STREAM))


def test_a_stream_that_would_unpack_to_more_than_the_image_does_not() -> None:
    bomb = bytes(imagecodecs.zstd_encode(bytes(200_000_000)))
    assert len(bomb) < 10_000
    tracemalloc.start()
    try:
        with pytest.raises(CorruptDataError, match="zstd"):
            decode(crafted(PLANE, Zstd(), bomb))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_mutated_header_gets_anything_else_out_of_the_decoder(data: st.DataObject) -> None:
    """Mutate an honest file and seal it anew: an image or CorruptDataError, nothing else."""
    body = bytearray(data.draw(st.sampled_from(list(small_files().values())))[:-4])
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(len(MAGIC), len(body) - 1))
        removed, added = data.draw(st.integers(0, 1)), data.draw(st.binary(max_size=2))
        body[position : position + removed] = added
    try:
        image = decode(sealed(bytes(body)))
    except CorruptDataError:
        return
    assert image.pixels.nbytes < 2**24


def test_a_recipe_rebuilds_the_codec() -> None:
    codec = Guarded(Rescaled(PerPlane(Tiled(JpegLS(near=7), tile=64)), bits=12), max_error=3)
    form = Form("ZYX", (2, 5, 7), UINT16, 12)
    header, _ = unpack(crafted(form, codec, b""))
    assert build(header.recipe) == codec


def test_a_stream_in_parts_is_packed_as_one_and_given_up_on_the_way() -> None:
    form, recipe = Form("YX", (3, 4), np.dtype(np.uint8), 8), Recipe(2)
    parts = [bytes([n]) * n for n in range(1, 200)]
    whole = pack(recipe, form, b"".join(parts), {})
    assert pack_parts(recipe, form, parts, {}) == whole
    assert parts == []


def test_a_checksum_over_many_chunks_is_one_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    form, stream = Form("YX", (3, 4), np.dtype(np.uint8), 8), bytes(range(256)) * 20
    data = pack(Recipe(2), form, stream, {})
    monkeypatch.setattr(container, "CHUNK", 7)
    assert bytes(unpack(data)[1]) == stream
    with pytest.raises(CorruptDataError, match="checksum"):
        unpack(data[:-6] + b"!" + data[-5:])
