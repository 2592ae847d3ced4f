import numpy as np
import pytest

from cytopress.errors import ImageError
from cytopress.image import Image


def test_axes_and_bits_come_from_the_pixels() -> None:
    image = Image(np.zeros((3, 4, 5), np.uint16))
    assert (image.axes, image.bits, image.shape, image.raw_bytes) == ("ZYX", 16, (3, 4, 5), 120)
    assert Image(np.zeros((4, 5), np.float32)).bits == 32


@pytest.mark.parametrize(
    ("pixels", "options", "word"),
    [
        (np.zeros((4, 4), np.int64), {}, "uint8, uint16, float32, .* or float64, not int64"),
        (np.zeros((4, 4), np.complex64), {}, "not complex64"),
        (np.zeros(4, np.uint8), {}, "axes"),
        (np.zeros((2, 3, 4, 5), np.uint8), {}, "axes"),
        (np.zeros((4, 4), np.uint8), {"axes": "ZYX"}, "axes"),
        (np.zeros((0, 4), np.uint8), {}, "needs pixels"),
        (
            np.ma.masked_less(np.arange(16, dtype=np.uint8).reshape(4, 4), 3),
            {},
            "3 pixels are masked",
        ),
        (np.full((4, 4), 4096, np.uint16), {"bits": 12}, "12 bits"),
        (np.zeros((4, 4), np.uint16), {"bits": 17}, "1 to 16"),
        (np.zeros((4, 4), np.int16), {"bits": 12}, "int16 pixels have 16 bits, not 12"),
        (np.full((4, 4), np.inf, np.float64), {}, "NaN or infinite"),
        (np.full((4, 4), np.nan, np.float32), {}, "NaN"),
        (np.full((4, 4), np.inf, np.float32), {}, "NaN or infinite"),
        (np.zeros((4, 4), np.uint8), {"spacing_um": (1.0,)}, "spacing_um"),
        (np.zeros((4, 4), np.uint8), {"spacing_um": (1.0, 0.0)}, "spacing_um"),
        (np.zeros((4, 4), np.uint8), {"spacing_um": (None, -1.0)}, "spacing_um"),
    ],
)
def test_refuses_what_is_not_an_image(pixels: np.ndarray, options: dict, word: str) -> None:
    with pytest.raises(ImageError, match=word):
        Image(pixels, **options)


def test_takes_a_masked_array_that_masks_nothing() -> None:
    pixels = np.arange(16, dtype=np.uint8).reshape(4, 4)
    assert Image(np.ma.masked_less(pixels, 0)) == Image(pixels)


def test_pixels_are_native_contiguous_and_read_only() -> None:
    big_endian = np.arange(12, dtype=">u2").reshape(3, 4)
    image = Image(big_endian.T)
    assert image.pixels.dtype == np.dtype(np.uint16)
    assert image.pixels.dtype.isnative
    assert image.pixels.flags.c_contiguous
    np.testing.assert_array_equal(image.pixels, big_endian.T)
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0] = 1


def test_equality_is_of_pixels_and_meaning_but_not_of_name() -> None:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    assert Image(pixels, name="a") == Image(pixels.copy(), name="b")
    assert Image(pixels) != Image(pixels, bits=12)
    assert Image(pixels) != Image(pixels, spacing_um=(1, 1))
    assert Image(pixels, spacing_um=(None, 1)) != Image(pixels, spacing_um=(1, 1))
    assert Image(pixels, spacing_um=(None, None)) == Image(pixels)
    assert Image(pixels) != Image(pixels + 1)
    assert Image(pixels.astype(np.uint8)) != Image(pixels)


@pytest.mark.parametrize(("shape", "strides"), [((1, 6), (0, 2)), ((3, 1), (2, 99))])
def test_one_row_or_column_of_a_view_has_the_strides_of_a_copy(
    shape: tuple[int, int], strides: tuple[int, int]
) -> None:
    view = np.lib.stride_tricks.as_strided(np.arange(6, dtype=np.uint16), shape, strides)
    image = Image(view)
    assert image.pixels.strides == np.array(view.tolist(), np.uint16).strides
    assert image.pixels.tolist() == view.tolist()
