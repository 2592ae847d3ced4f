"""Structured noise is subtracted and comes back; ranges, bounds and chunks hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.round_zstd import RoundZstd
from cytopress.codecs.container.container import Form, unpack
from cytopress.codecs.registry import build, decode
from cytopress.codecs.spec import codec
from cytopress.codecs.wrappers import Guarded, Lines, PerPlane, Tiled
from cytopress.codecs.wrappers.lines import find_lines, strength_of, take_lines
from cytopress.codecs.wrappers.lines_report import lines_report
from cytopress.errors import CorruptDataError
from cytopress.image import Image

SHAPE = (128, 160)


def hum(amplitude: float = 3.0, level: float = 100.0, seed: int = 0) -> npt.NDArray[np.float64]:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    drift = 0.31 * y + 1.5 * (y / SHAPE[0]) ** 2
    wave = amplitude * np.cos(2 * np.pi * (0.215 * x + drift))
    return np.asarray(level + wave + np.random.default_rng(seed).normal(0, 1, SHAPE))


def image_of(plane: npt.NDArray[np.float64], dtype: type = np.uint8, bits: int = 0) -> Image:
    most = 2 ** (bits or np.dtype(dtype).itemsize * 8) - 1
    return Image(np.clip(np.rint(plane), 0, most).astype(dtype), bits=bits)


@pytest.mark.parametrize("fraction", [0, 4])
@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 12), (np.uint16, 16)])
def test_what_is_subtracted_is_added_again(fraction: int, dtype: type, bits: int) -> None:
    image = image_of(hum(), dtype, bits)
    # Inside all is exact, so what comes back differs by the rounding of a count at most.
    inner = RoundZstd(1) if fraction else JpegLS(near=1)
    codec = Lines(inner, fraction=fraction)
    found = decode(codec.encode(image))
    error = np.abs(found.pixels.astype(int) - image.pixels).max()
    assert error <= 1
    assert (found.dtype, found.bits) == (image.dtype, image.bits)
    header, stream = unpack(codec.encode(image))
    mapping, (layer,), _ = take_lines(stream, header.form)
    assert mapping.fraction == fraction
    assert layer.values(0).std() > 1.5


def test_what_is_coded_has_no_wave_any_more() -> None:
    image = image_of(hum())
    header, stream = unpack(Lines(JpegLS(near=1)).encode(image))
    rest = JpegLS(near=1).restore(take_lines(stream, header.form)[2], header.form).pixels
    assert image.pixels.std() > 2.2
    assert rest.std() < 1.3


@pytest.mark.parametrize("level", [0, 2, 253, 255, 128])
@pytest.mark.parametrize("fraction", [0, 4])
def test_pixels_at_the_ends_of_the_range_come_back(level: int, fraction: int) -> None:
    plane = hum(level=level)
    plane[:20], plane[20:40] = 0, 255
    image = image_of(plane)
    found = decode(
        Lines(RoundZstd(1) if fraction else JpegLS(near=1), fraction=fraction).encode(image)
    )
    assert np.abs(found.pixels.astype(int) - image.pixels).max() <= 1


@pytest.mark.parametrize("level", [5000, 32768, 65400])
def test_a_camera_offset_leaves_fractions_of_a_count(level: int) -> None:
    image = image_of(hum(level=level), np.uint16)
    data = Lines(RoundZstd(1), fraction=4).encode(image)
    header, stream = unpack(data)
    assert take_lines(stream, header.form)[0].fraction == 4
    assert np.abs(decode(data).pixels.astype(int) - image.pixels).max() <= 1


def test_sixteen_bits_that_are_all_used_lose_their_fractions_first() -> None:
    plane = hum(300, 30000)
    plane[0, :2] = 0, 65535
    image = image_of(plane, np.uint16)
    header, stream = unpack(Lines(RoundZstd(1), fraction=4).encode(image))
    assert take_lines(stream, header.form)[0].fraction == 0
    found = decode(Lines(RoundZstd(1), fraction=4).encode(image))
    assert np.abs(found.pixels.astype(int) - image.pixels).max() <= 1


def test_planes_of_a_stack_have_layers_of_their_own() -> None:
    planes = [image_of(hum(seed=n), np.uint8).pixels for n in range(3)]
    flat = np.full(SHAPE, 7, np.uint8)
    stack = Image(np.stack([planes[0], flat, planes[2][:, ::-1]]))
    codec = Lines(PerPlane(JpegLS(near=1)))
    header, stream = unpack(codec.encode(stack))
    layers = take_lines(stream, header.form)[1]
    assert [bool(layer.lines) for layer in layers] == [True, False, True]
    found = decode(codec.encode(stack))
    assert np.abs(found.pixels.astype(int) - stack.pixels).max() <= 1


def test_the_wrapped_codec_may_be_wrapped_and_a_guard_holds_on_the_sum() -> None:
    image = image_of(hum())
    codec = Guarded(Lines(Tiled(JpegLS(near=9), tile=64)), max_error=2)
    found = decode(codec.encode(image))
    assert np.abs(found.pixels.astype(int) - image.pixels).max() <= 2


def test_a_codec_bounds_what_it_does_not_clip() -> None:
    plane = hum(20, 128)
    plane[40:60], plane[60:80] = 0, 255
    image = image_of(plane)
    for near in (1, 3):
        found = decode(Lines(JpegLS(near=near)).encode(image))
        assert np.abs(found.pixels.astype(int) - image.pixels).max() <= near


def test_nothing_found_leaves_the_codec_as_it_is() -> None:
    image = image_of(np.random.default_rng(0).normal(100, 2, SHAPE))
    assert find_lines(image) is None
    found = Lines(JpegLS(near=1)).encode(image)
    assert len(found) <= len(JpegLS(near=1).encode(image)) + 5
    assert decode(found).pixels.tolist() == decode(JpegLS(near=1).encode(image)).pixels.tolist()


def test_a_field_hands_its_frequencies_to_its_chunks() -> None:
    field = image_of(hum())
    plain = image_of(np.random.default_rng(0).normal(100, 2, SHAPE))
    assert find_lines(Image(field.pixels, lines=())) is None
    chunk = Image(field.pixels[:64, 80:], lines=((1, round(0.215 * 2**20)),))
    found = find_lines(chunk)
    assert found is not None
    assert find_lines(Image(plain.pixels, lines=chunk.lines)) is None


def test_a_codec_of_few_bytes_gets_a_coarser_layer() -> None:
    assert strength_of(2**20, 2**19) == pytest.approx(1.5)
    assert 1.5 < strength_of(2**20, 5000) < strength_of(2**20, 1000) < 128
    assert strength_of(2**20, 10) == 128


def test_a_report_says_where_and_how_much() -> None:
    image = image_of(hum(3.0))
    codec = Guarded(Lines(JpegLS(near=1)), max_error=2)
    header, stream = unpack(codec.encode(image))
    text = lines_report(header.recipe, stream, header.form)
    told, counts, *_, size = text.split(", ")
    assert told == "pickup at 0.215 cycles/px along x"
    # The standard deviation of a wave of 3 counts.
    assert float(counts.removesuffix(" counts")) == pytest.approx(3 / 2**0.5, rel=0.05)
    assert size.endswith(" bytes")
    assert 5 < int(size.split()[0]) < 60
    plain, stream = unpack(JpegLS().encode(image))
    assert lines_report(plain.recipe, stream, plain.form) == ""


@pytest.mark.parametrize(
    "stream", [b"", b"\x09\x00", b"\x00", b"\x00\x00\x05ab", b"\x04\xff\xff\xff\x7f\x00"]
)
def test_damaged_streams_are_one_error(stream: bytes) -> None:
    form = Form.of(image_of(hum()))
    with pytest.raises(CorruptDataError):
        Lines(JpegLS(near=1)).restore(stream, form)


@pytest.mark.slow
@pytest.mark.parametrize("quality", [0.23, 0.35, 0.5])
def test_a_humming_field_in_chunks_takes_at_most_a_tenth_more_than_whole(quality: float) -> None:
    y, x = np.mgrid[:1024, :1024]
    random = np.random.default_rng(3)
    drift = np.cumsum(random.normal(0, 0.02, 1024))[:, None]
    hum = 1.5 * np.cos(2 * np.pi * (0.215 * x + 0.37 * y) + drift)
    cells = np.zeros(hum.shape)
    for cy, cx in random.uniform(0, 1024, (300, 2)):
        cells += 60 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 60)
    field = image_of(90 + cells + hum + random.normal(0, 1.5, hum.shape))
    request = codec(f"learned/cytopress-2d:quality={quality},lines=auto")
    limits, lines = request.field_limits([field]), request.field_lines([field])
    parts = [field.pixels[row : row + 512, column : column + 512]
             for row in (0, 512) for column in (0, 512)]  # fmt: skip
    chunks = [request.encode(Image(part), limits=limits, lines=lines) for part in parts]
    assert all(build(unpack(data)[0].recipe).name == "lines" for data in chunks)
    assert sum(map(len, chunks)) <= 1.10 * len(request.encode(field))
