"""A lower resolution is coded and put back by integers; bounds hold on the final pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cytopress.codecs.adapters.jpeg2000 import Jpeg2000
from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.container.container import Form, unpack
from cytopress.codecs.registry import build, decode
from cytopress.codecs.spec import codec
from cytopress.codecs.wrappers import Guarded, PerPlane, Rescaled, Scaled, Tiled
from cytopress.codecs.wrappers.resampling import decimate, interpolate
from cytopress.errors import CorruptDataError, UnsupportedImageError, UsageError
from cytopress.image import Image

pytestmark = [
    pytest.mark.both_numpy,
    # Pictures as smooth as these are unlike those that models learned from.
    pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning"),
]


def smooth(shape: tuple[int, int] = (96, 128), most: int = 4095) -> Image:
    """Return blurred cells without noise: half the resolution holds all of them."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = 0.1 + 0.4 * np.sin(y / 9) ** 2 + 0.4 * np.cos(x / 11) ** 2
    return Image(np.rint(light * most).astype(np.uint8 if most < 256 else np.uint16))


@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (5, 3), (64, 65), (2, 9, 11), (1, 1, 1)])
def test_any_shape_comes_back_as_it_was(shape: tuple[int, ...], levels: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 4096, shape, dtype=np.uint16)
    image = Image(pixels, bits=12, spacing_um=(0.3, 0.1, 0.1)[-len(shape) :])
    back = decode(Scaled(Zstd(), levels=levels, bits=16).encode(image))
    assert (back.shape, back.dtype, back.bits) == (image.shape, image.dtype, 12)
    assert back.spacing_um == image.spacing_um
    assert back.pixels.max() < 4096


def test_what_is_between_is_resampled_once_and_coded_as_it_is() -> None:
    image = smooth()
    small = decimate(image.pixels, 0, 65535)
    once = interpolate(small, 0, image.shape, 65535)
    np.testing.assert_array_equal(decode(Scaled(Zstd()).encode(image)).pixels, once)
    half = interpolate(decimate(small, 0, 65535), 0, small.shape, 65535)
    twice = interpolate(half, 0, image.shape, 65535)
    np.testing.assert_array_equal(decode(Scaled(Zstd(), levels=2).encode(image)).pixels, twice)


def test_a_stack_is_scaled_in_its_planes() -> None:
    planes = [smooth().pixels, smooth().pixels[::-1], smooth().pixels // 2]
    stack = Image(np.stack(planes))
    back = decode(Scaled(Zstd()).encode(stack))
    for plane, decoded in zip(planes, back.pixels, strict=True):
        np.testing.assert_array_equal(decode(Scaled(Zstd()).encode(Image(plane))).pixels, decoded)


def test_digits_behind_the_point_bring_8_bit_images_nearer() -> None:
    light = 40 + 100 * np.exp(-((np.mgrid[:64, :64] - 30.0) ** 2).sum(axis=0) / 300)
    image = Image(np.rint(light).astype(np.uint8))
    errors = [
        np.mean((decode(Scaled(Zstd(), bits=bits).encode(image)).pixels - light) ** 2)
        for bits in (0, 12)
    ]
    assert errors[1] < errors[0]


def test_the_composition_from_the_inside_out(micrograph: Image) -> None:
    stack = replace(micrograph, pixels=np.stack([micrograph.pixels] * 2), axes="", spacing_um=None)
    found = codec("jpeg2000:level=50,tile=32,guard=9,scale=2").solve(stack).codec
    kinds = [type(one) for one in found.nested()]
    assert kinds == [Guarded, Scaled, Rescaled, PerPlane, Tiled, Jpeg2000]


@pytest.mark.parametrize("spec", ["jpegls:near=9,guard=3", "learned/cytopress-2d:ratio=20,guard=9"])
@pytest.mark.parametrize("scale", [2, 4])
def test_the_guard_holds_on_the_final_pixels(spec: str, scale: int, micrograph: Image) -> None:
    data = codec(f"{spec.replace('ratio=20', 'quality=0.5')},scale={scale}").encode(micrograph)
    error = decode(data).pixels.astype(int) - micrograph.pixels
    assert np.abs(error).max() <= int(spec.rpartition("=")[2])


def test_the_guard_keeps_in_reserve_what_interpolation_makes_of_a_count() -> None:
    inexact = Jpeg2000(level=40)
    assert (JpegLS(near=1).deviation, inexact.deviation) == (0, 1)
    assert Rescaled(inexact).deviation == 1
    # The worst small plane for one large pixel: every tap with its own sign.
    worst = 0
    random = np.random.default_rng(0)
    for _ in range(60):
        signs = random.choice([-1, 1], 24)
        small = (30000 + np.outer(signs, signs)).astype(np.uint16)
        large = interpolate(small, 0, (48, 48), 65535)
        worst = max(worst, int(np.abs(large.astype(int) - 30000).max()))
    assert 1 < worst <= Scaled(inexact).deviation <= 3
    with pytest.raises(UsageError, match="off by 3"):
        Guarded(Scaled(inexact), max_error=2)


def test_refusals_are_one_sentence() -> None:
    real = Image(smooth().pixels.astype(np.float32))
    for spec, kind, text in (
        ("jpegxl:scale=2", UsageError, "scale=2 is for lossy settings"),
        ("png:scale=4", UsageError, "scale=4 is for lossy settings"),
        ("jpegxl:distance=0,scale=2", UsageError, "scale=2 is for lossy settings"),
        ("jpegxl:ratio=5,scale=3", UsageError, "scale is auto, 1, 2 or 4, not 3"),
        ("zfp:tolerance=2,scale=2", UnsupportedImageError, "uint8 and uint16, not float32"),
        ("zfp:psnr=30,scale=4", UnsupportedImageError, "uint8 and uint16, not float32"),
    ):
        with pytest.raises(kind, match=text) as raised:
            codec(spec).encode(real)
        assert str(raised.value).endswith(".")


def test_floats_and_lossless_settings_take_auto_as_1(micrograph: Image) -> None:
    real = Image(smooth().pixels.astype(np.float32))
    assert codec("zfp:psnr=60,scale=auto").encode(real) == codec("zfp:psnr=60").encode(real)
    assert codec("png:scale=auto").encode(micrograph) == codec("png").encode(micrograph)


def test_the_limits_of_a_field_are_those_of_its_chunks_at_any_resolution() -> None:
    image, seen = smooth(most=255), []

    class Spy(Zstd):
        def compress(self, image: Image) -> bytes:
            seen.append(image)
            return super().compress(image)

    Scaled(Spy(), bits=12).compress(replace(image, limits=(3.0, 250.0)))
    Scaled(Spy(), levels=2).compress(replace(image, limits=(3.0, 250.0)))
    assert [one.limits for one in seen] == [(48.0, 4000.0), (3.0, 250.0)]
    assert [(one.bits, one.shape) for one in seen] == [(12, (48, 64)), (8, (24, 32))]


def test_chunks_of_an_archive_are_coded_at_a_given_resolution() -> None:
    request = codec("learned/cytopress-2d:quality=0.5,lines=0,scale=2")
    for shape in ((96, 128), (17, 128), (3, 2)):
        chunk = smooth(shape)
        data = request.encode(chunk, limits=(0.0, 4095.0))
        assert isinstance(build(unpack(data)[0].recipe), Scaled)
        assert decode(data).shape == shape


@pytest.mark.parametrize("place", [0, 1, 5, 20])
@pytest.mark.parametrize("change", [b"", b"\x00", b"\xff" * 9])
def test_damaged_streams_end_in_one_error_or_an_image(place: int, change: bytes) -> None:
    scaled, image = Scaled(JpegLS(near=2)), smooth()
    stream = scaled.compress(image)
    crafted = stream[:place] + change + stream[place + len(change) + (not change) :]
    try:
        back = scaled.restore(crafted, Form.of(image))
    except CorruptDataError:
        return
    assert back.shape == image.shape


def test_a_stream_of_another_size_is_refused_before_it_is_decoded() -> None:
    scaled = Scaled(JpegLS(near=2))
    stream = JpegLS(near=2).compress(smooth((512, 512)))
    with pytest.raises(CorruptDataError, match="512"):
        scaled.restore(stream, Form.of(smooth()))
