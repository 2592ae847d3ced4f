import zlib

import imagecodecs
import numpy as np
import pytest

from cytopress.image import Image
from cytopress.report.data_uri import png
from cytopress.report.pictures import (
    DisplayRange,
    display_range,
    diverging,
    error_picture,
    error_scale,
    grey_picture,
    scale_bar,
)


def decoded(picture: str) -> np.ndarray:
    import base64

    return imagecodecs.png_decode(base64.b64decode(picture.partition(",")[2]))


@pytest.mark.parametrize("shape", [(1, 1), (1, 17), (33, 1), (40, 51)])
def test_grey_pictures_come_back_from_another_decoder(shape):
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(imagecodecs.png_decode(png(pixels)), pixels)


def test_smooth_pictures_come_back_filtered():
    y, x = np.mgrid[:64, :64]
    # Small steps both ways: many ties between the neighbors that the filter chooses from.
    pixels = (2 * y + x + np.random.default_rng(0).integers(0, 4, y.shape)).astype(np.uint8)
    file = png(pixels)
    assert np.array_equal(imagecodecs.png_decode(file), pixels)
    unfiltered = zlib.compress(np.insert(pixels, 0, 0, axis=1).tobytes(), 9)
    assert len(file) < 0.7 * len(unfiltered)


def test_palette_colors_come_back():
    palette = diverging()
    pixels = np.arange(255, dtype=np.uint8)[None]
    assert np.array_equal(imagecodecs.png_decode(png(pixels, palette))[0], palette[:255])


def test_display_range_clips_and_is_shared():
    image = Image(np.array([[0, 100], [150, 300]], np.uint16))
    assert decoded(grey_picture(image, DisplayRange(100, 200))).tolist() == [[0, 0], [128, 255]]


def test_a_constant_image_has_a_display_range():
    span = display_range(Image(np.full((8, 8), 77, np.uint16)))
    assert span == DisplayRange(77, 78)


def test_error_map_is_symmetric_about_white():
    original = Image(np.full((2, 2), 100, np.uint16))
    back = Image(np.array([[100, 95], [105, 100]], np.uint16))
    scale = error_scale([(original, back)])
    limit, beyond = scale.limit, scale.beyond
    picture = error_picture(original, back, limit)
    assert (limit, beyond) == (5.0, 0.0)
    colors = decoded(picture)
    assert colors[0, 0].tolist() == colors[1, 1].tolist() == [247, 247, 247]
    assert colors[0, 1].tolist() == [33, 102, 172]
    assert colors[1, 0].tolist() == [178, 24, 43]


def test_error_map_of_an_exact_image_is_white_all_over():
    image = Image(np.arange(64, dtype=np.uint8).reshape(8, 8))
    limit = error_scale([(image, image)]).limit
    picture = error_picture(image, image, limit)
    assert limit == 1.0
    assert np.unique(decoded(picture)).tolist() == [247]


def test_error_map_tells_how_much_is_beyond_its_scale():
    original = Image(np.zeros((100, 100), np.uint16))
    pixels = np.ones((100, 100), np.uint16)
    pixels[0, :20] = 4000
    scale = error_scale([(original, Image(pixels))])
    limit, beyond = scale.limit, scale.beyond
    assert (limit, beyond) == (1.0, 0.002)


@pytest.mark.parametrize(
    ("width", "spacing", "expected"),
    [
        (192, 0.25, (40.0, "10 µm")),
        (192, None, (20.0, "20 pixels")),
        (176, 0.619, (20 / 0.619, "20 µm")),
    ],
)
def test_scale_bar_is_a_round_length_of_at_most_a_quarter(width, spacing, expected):
    image = Image(np.zeros((8, width), np.uint8), spacing_um=spacing and (spacing, spacing))
    length, label = scale_bar(image)
    assert (pytest.approx(length), label) == expected


def test_of_a_stack_the_middle_plane_is_shown():
    pixels = np.zeros((3, 4, 4), np.uint8)
    pixels[1] = 200
    assert decoded(grey_picture(Image(pixels), DisplayRange(0, 200))).min() == 255
