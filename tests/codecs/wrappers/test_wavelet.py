"""A wavelet along z: exact in integers, fair to every band in floats, better than planes alone."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.adapters.jpeg2000 import Jpeg2000
from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.jpegxl import JpegXL
from cytopress.codecs.container.container import Form, unpack
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.resolve import compose
from cytopress.codecs.wrappers import PerPlane, Wavelet
from cytopress.codecs.wrappers.coefficients import (
    FloatCoefficients,
    IntegerCoefficients,
    error_gain,
)
from cytopress.codecs.wrappers.lifting import CDF_9_7, join, lengths, split
from cytopress.errors import UnsupportedImageError, UsageError
from cytopress.image import Image

PLANES = [1, 2, 3, 4, 5, 7, 8, 9, 17]


def volume(planes: int = 24, seed: int = 0, noise: float = 4) -> Image:
    """Return blobs that come and go over some planes, and noise."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:planes, :64, :72]
    light = np.full(z.shape, 300.0)
    for _ in range(6):
        cz, cy, cx = rng.uniform(0, planes), rng.uniform(0, 64), rng.uniform(0, 72)
        light += 1500 * np.exp(-((z - cz) ** 2 / 18 + ((y - cy) ** 2 + (x - cx) ** 2) / 60))
    return Image(np.rint(light + rng.normal(0, noise, z.shape)).astype(np.uint16), bits=12)


@pytest.mark.parametrize("planes", PLANES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", ["jpegls", "jpeg2000", "jpegxl"])
def test_lossless_is_exact_over_the_full_range(name: str, dtype: type, planes: int) -> None:
    rng = np.random.default_rng(planes)
    pixels = rng.integers(0, np.iinfo(dtype).max, (planes, 5, 6), dtype=dtype, endpoint=True)
    image = Image(pixels, spacing_um=(0.5, 0.1, 0.1))
    assert decode(codec(f"{name}:z=wavelet").encode(image)) == image


@pytest.mark.parametrize("planes", PLANES)
@pytest.mark.parametrize("near", [1, 4, 255])
def test_a_bound_holds_whatever_the_planes(planes: int, near: int) -> None:
    image = Image(np.random.default_rng(1).integers(0, 2**16, (planes, 7, 5)).astype(np.uint16))
    found = codec(f"jpegls:z=wavelet,near={near}").solve(image)
    assert isinstance(found.codec, Wavelet)
    assert found.codec.step == 2 * near + 1
    assert np.abs(decode(found.data).pixels.astype(int) - image.pixels).max() <= near


def test_the_integer_wavelet_is_the_5_3_of_jpeg_2000() -> None:
    """By the equations of T.800 (annex F), written out for five samples."""
    x = [10, 13, 9, 200, 50]
    high = [x[1] - (x[0] + x[2]) // 2, x[3] - (x[2] + x[4]) // 2]
    low = [
        x[0] + (high[0] + high[0] + 2) // 4,
        x[2] + (high[0] + high[1] + 2) // 4,
        x[4] + (high[1] + high[1] + 2) // 4,
    ]
    found = [
        int(plane[0])
        for plane in split([np.array([v], np.int16) for v in x], IntegerCoefficients.steps)
    ]
    assert found == [low[0], high[0], low[1], high[1], low[2]]


def test_the_float_wavelet_is_the_9_7_of_jpeg_2000() -> None:
    """Its synthesis low-pass filter, from T.800's table of 9/7 coefficients, up to a factor."""
    units = [np.zeros(1) for _ in range(33)]
    units[16] = np.ones(1)
    response = np.array([float(plane[0]) for plane in join(units, CDF_9_7)])
    expected = np.array([-0.091271763, -0.057543526, 0.591271763, 1.115087052])
    taps = response[13:17]
    np.testing.assert_allclose(taps / taps[-1], expected / expected[-1], atol=1e-7)
    np.testing.assert_allclose(response, response[::-1], atol=1e-12)


@pytest.mark.parametrize("count", PLANES)
def test_lifting_comes_back(count: int) -> None:
    planes = list(np.random.default_rng(2).normal(size=(count, 3)))
    back = list(join(list(split(planes, CDF_9_7)), CDF_9_7))
    np.testing.assert_allclose(back, planes, atol=1e-12)
    assert sum(lengths(count, 3)) == count


@pytest.mark.parametrize("planes", [2, 3, 5, 24, 60])
def test_white_errors_in_the_coefficients_are_that_share_of_errors_in_the_pixels(
    planes: int,
) -> None:
    """Planted: noise of one sigma on every plane a codec sees comes back as sigma / share."""
    rng = np.random.default_rng(3)
    image = Image(rng.integers(20000, 45000, (planes, 40, 40)).astype(np.uint16))
    form = Form.of(image)

    class Noisy(JpegXL):
        def coded_shape(self, stream: bytes) -> tuple[int, ...]:
            return ()

        def compress(self, image: Image) -> bytes:
            return image.pixels.tobytes()

        def decompress(self, stream: bytes, form: Form):
            pixels = np.frombuffer(stream, form.dtype).reshape(form.shape)
            return (pixels + rng.normal(0, 300, form.shape)).astype(np.uint16)

    wavelet = Wavelet(Noisy(distance=1.0))
    error = wavelet.decompress(wavelet.compress(image), form).astype(float) - image.pixels
    span = float(np.ptp(image.pixels))
    expected = 300 / error_gain(planes, 3) * span / 65535
    assert np.sqrt(np.mean(error**2)) == pytest.approx(expected, rel=0.12)
    by_plane = np.sqrt(np.mean(error**2, axis=(1, 2)))
    assert by_plane.max() < 1.6 * by_plane.min()


def test_no_coefficient_of_any_pixels_overflows() -> None:
    rng = np.random.default_rng(4)
    for pixels in (rng.integers(0, 2, (16, 4, 4)), np.indices((16, 4, 4))[0] % 2):
        image = Image((pixels * 65535).astype(np.uint16))
        floats = FloatCoefficients.of(image, 3)
        planes = [floats.from_pixels(plane) for plane in image.pixels]
        for band in range(3):
            mixed = list(split(planes, floats.steps))
            planes, high = mixed[::2], mixed[1::2]
            for plane in high:
                sent = floats.to_codec(plane, band)
                np.testing.assert_allclose(floats.from_codec(sent, band), plane, atol=1e-4)


@pytest.mark.parametrize("spec", ["jpeg2000:psnr=45,range=1500", "jpegxl:psnr=45,range=1500"])
def test_it_takes_fewer_bytes_than_plane_by_plane(spec: str) -> None:
    image = volume()
    through, apart = codec(f"{spec},z=wavelet").solve(image), codec(spec).solve(image)
    assert min(through.reached, apart.reached) >= 45
    assert len(through.data) < 0.85 * len(apart.data)


def test_lossless_gains_where_planes_are_alike() -> None:
    image = volume(noise=1)
    for name in ("jpegls", "jpeg2000"):
        assert len(codec(f"{name}:z=wavelet").encode(image)) < len(codec(name).encode(image))


def test_equal_settings_leave_about_equal_errors() -> None:
    image = volume()
    for spec in ("jpeg2000:level=40", "jpegls:near=5"):
        errors = []
        for z in ("planes", "wavelet"):
            decoded = decode(codec(f"{spec},z={z}").encode(image)).pixels
            errors.append(np.sqrt(np.mean((decoded.astype(float) - image.pixels) ** 2)))
        assert errors[0] / 2 < errors[1] < errors[0] * 1.1


def test_tiles_lie_within_the_coefficient_planes() -> None:
    image = volume(9)
    tiled = codec("jpeg2000:z=wavelet,level=45,tile=32").encode(image)
    assert decode(codec("jpegls:z=wavelet,tile=32").encode(image)) == image
    assert len(tiled) < len(codec("jpeg2000:level=45,tile=32").encode(image))
    assert unpack(tiled)[0].recipe.number == Wavelet.number


def test_never_more_than_a_few_planes_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planes come back soon after the coefficients they need, and not when all are decoded."""
    image, log = volume(40), []
    stream = Wavelet(JpegLS()).compress(image)
    kind = IntegerCoefficients
    honest, back = JpegLS.decompress, kind.to_pixels
    monkeypatch.setattr(JpegLS, "decompress", lambda *a: (log.append("in"), honest(*a))[1])
    monkeypatch.setattr(
        IntegerCoefficients, "to_pixels", lambda *a: (log.append("out"), back(*a))[1]
    )
    Wavelet(JpegLS()).decompress(stream, Form.of(image))
    ahead = np.cumsum([1 if word == "in" else -1 for word in log])
    assert (ahead[-1], log.count("in")) == (0, 40)
    assert ahead.max() <= 16


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UnsupportedImageError, match="for stacks"):
        codec("jpegxl:z=wavelet").encode(Image(np.zeros((4, 4), np.uint16)))
    for name in ("zfp", "hevc:qp=20", "jpeg:quality=50", "png"):
        with pytest.raises(UsageError, match="z=wavelet is for"):
            codec(f"{name}{',' if ':' in name else ':'}z=wavelet")
    with pytest.raises(UsageError, match="planes or wavelet"):
        codec("jpegxl:z=cosine")
    for wrong in ({"levels": 0}, {"levels": 2.5}, {"step": 0}):
        with pytest.raises(UsageError):
            Wavelet(JpegLS(), **wrong)
    with pytest.raises(UnsupportedImageError):
        Wavelet(JpegLS()).check(Image(np.zeros((2, 2, 2), np.float32)))


def test_planes_is_the_default_and_the_spec_stands_alone() -> None:
    stack = volume(2)
    assert codec("jpegls:z=planes") == codec("jpegls")
    assert compose(codec("jpegls"), None, stack) == PerPlane(JpegLS())
    request = codec("jpeg2000:level=40,z=wavelet")
    assert compose(request, 40, stack) == Wavelet(Jpeg2000(level=40))
    assert codec(request.spec) == request
