"""What the napari widget computes for a region."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import cytopress
from cytopress.errors import CodecError, ImageError, UsageError
from cytopress.napari import comparison
from cytopress.napari.comparison import (
    Field,
    codec_names,
    compare,
    qualities,
    spec_of,
    visible_region,
)
from cytopress.napari.sample import made_up_field


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return made_up_field()[:256, :256]


@pytest.fixture(scope="module")
def field(pixels: np.ndarray) -> Field:
    return Field.of([pixels], bits=12)


def test_the_numbers_are_those_of_the_pixels(pixels: np.ndarray, field: Field) -> None:
    region = pixels[40:140, 30:160]
    found = compare(region, "jpegls:near=5", field)
    error = found.decoded.astype(float) - region
    np.testing.assert_array_equal(found.difference, error)
    assert found.max_error == np.abs(error).max() == 5
    rmse = np.sqrt(np.mean(error**2))
    assert found.rmse == pytest.approx(rmse)
    low, high = np.percentile(pixels, (0.01, 99.99))
    assert found.psnr == pytest.approx(20 * np.log10((high - low) / rmse), abs=0.05)
    noise = field.noise
    assert noise is not None
    variance = noise.a * np.maximum(region - noise.offset, 0) + noise.b
    assert found.sigma == pytest.approx(np.sqrt(np.mean(error**2 / variance)))
    assert found.ratio == region.nbytes / found.coded_bytes
    shown = dict(found.rows())
    assert shown["largest error"] == "5 counts"
    assert shown["smaller"].startswith(f"{found.ratio:.3g} times")


def test_a_lossless_copy_is_said_to_be_exact(pixels: np.ndarray, field: Field) -> None:
    found = compare(pixels, "zstd", field)
    np.testing.assert_array_equal(found.decoded, pixels)
    data = cytopress.encode(cytopress.Image(pixels, bits=12), "zstd")
    assert found.coded_bytes == len(data)
    assert found.rows()[2:] == [("error", "none: every pixel is exact")]


def test_a_region_is_coded_as_the_field_it_is_of(pixels: np.ndarray, field: Field) -> None:
    dim = pixels[:64, :64] // 8
    found = compare(dim, "jpegxl:distance=3", field)
    limits = (float(pixels.min()), float(pixels.max()))
    data = cytopress.encode(cytopress.Image(dim, bits=12), "jpegxl:distance=3", limits=limits)
    np.testing.assert_array_equal(found.decoded, cytopress.decode(data).pixels)
    assert found.coded_bytes == len(data)
    alone = cytopress.encode(cytopress.Image(dim, bits=12), "jpegxl:distance=3")
    assert len(alone) > len(data)


@pytest.mark.parametrize("name", ["jpegxl", "learned/cytopress-2d"])
def test_the_slider_goes_from_few_bytes_to_few_errors(
    pixels: np.ndarray, field: Field, name: str
) -> None:
    quality = qualities(name)[0]
    found = [compare(pixels, spec_of(name, quality, at), field) for at in (0, 0.5, 1)]
    sizes, errors = zip(*((one.coded_bytes, one.rmse) for one in found), strict=True)
    assert list(sizes) == sorted(sizes)
    assert list(errors) == sorted(errors, reverse=True)


def test_every_place_of_every_slider_is_a_spec() -> None:
    names = codec_names()
    assert "learned/cytopress-2d" in names
    assert "learned/cytopress-3d" not in names
    for name in names:
        settings = itertools.product(qualities(name), (0, 0.3, 0.77, 1))
        for spec in [spec_of(name, *one) for one in settings] or [spec_of(name, None, 0.5)]:
            assert cytopress.codec(spec).name == name


@pytest.mark.parametrize(
    ("corners", "shape", "seen", "whole"),
    [
        ([[-0.5, -0.5], [299.5, 199.5]], (300, 200), (0, 300, 0, 200), True),
        ([[9.5, 19.5], [99.5, 59.5]], (300, 200), (10, 100, 20, 60), True),
        ([[9.4, 19.6], [99.6, 59.4]], (300, 200), (9, 101, 20, 60), True),
        ([[-500, -70], [5000, 5000]], (300, 200), (0, 300, 0, 200), True),
        ([[0, 0], [4999, 2999]], (5000, 3000), (1988, 3012, 988, 2012), False),
        ([[12.1, 7.2], [12.2, 7.3]], (300, 200), (12, 13, 7, 8), True),
    ],
)
def test_the_region_is_what_is_seen_or_its_middle(
    corners: list, shape: tuple, seen: tuple, whole: bool
) -> None:
    (y, x), found = visible_region(corners, shape)
    assert (y.start, y.stop, x.start, x.stop) == seen
    assert found == whole


@pytest.mark.parametrize("corners", [[[900, 0], [950, 50]], [[0, -80], [50, -20]]])
def test_a_layer_out_of_view_is_a_sentence(corners: list) -> None:
    with pytest.raises(UsageError, match="in view"):
        visible_region(corners, (300, 200))


class Counted:
    """An array that counts the pixels that are loaded."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels, self.shape, self.loaded = pixels, pixels.shape, 0

    def __getitem__(self, place: object) -> np.ndarray:
        found = self.pixels[place]
        self.loaded += found.size
        return found


def test_of_a_large_field_a_lower_resolution_or_the_middle_is_measured(
    pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "LARGEST_FIELD", 128)
    monkeypatch.setattr(comparison, "NOISE_EDGE", 64)
    full, half = Counted(pixels), Counted(pixels[::2, ::2])
    assert Field.of([full, half]).image.shape == (128, 128)
    assert (full.loaded, half.loaded) == (64 * 64, 128 * 128)
    alone = Counted(pixels)
    np.testing.assert_array_equal(Field.of([alone]).image.pixels, pixels[64:192, 64:192])
    assert alone.loaded == 64 * 64 + 128 * 128


@pytest.mark.parametrize("constant", [0, 500])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_blank_field_is_coded(constant: int, dtype: str) -> None:
    blank = np.full((40, 50), min(constant, 255), dtype)
    found = compare(
        blank, "zfp:tolerance=1" if dtype == "float32" else "jpegls:near=1", Field.of([blank])
    )
    assert found.max_error <= 1
    assert found.scale > 0
    assert found.rows()


def test_what_cannot_be_done_is_a_sentence(pixels: np.ndarray, field: Field) -> None:
    with pytest.raises(CodecError, match="no setting reaches"):
        compare(pixels, "jpegls:ratio=100000", field)
    with pytest.raises(UsageError):
        compare(pixels, "jpegxl:nonsense=1", field)
    with pytest.raises(ImageError, match="int64"):
        Field.of([pixels.astype(np.int64)])
    with pytest.raises(ImageError, match="NaN"):
        Field.of([np.full((20, 20), np.nan, np.float32)])


@pytest.mark.parametrize(
    ("asked", "setting"),
    [
        ("jpegls:near=3", "jpegls:near=3"),
        ("jpegxl:psnr=40", "jpegxl:distance="),
        ("learned/cytopress-2d:quality=0.5", "learned/cytopress-2d:quality=0.5"),
        ("zstd", "zstd"),
    ],
)
def test_what_was_found_is_told_as_a_spec(asked: str, setting: str) -> None:
    pixels = made_up_field()[:96, :96]
    found = compare(pixels, asked, Field.of([pixels]))
    assert found.setting.startswith(setting)
    again = compare(pixels, found.setting, Field.of([pixels]))
    np.testing.assert_array_equal(again.decoded, found.decoded)
