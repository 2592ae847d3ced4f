"""Sections for the gallery: where the truth shows most, the same for every picture, lossless."""

import numpy as np
import pytest

from cytopress.image import Image
from cytopress.study.pictures import pack_picture, picture_of, sections, unpack_picture
from cytopress.tasks.objects import measure_objects


@pytest.mark.parametrize("place", [(0, 0), (70, 5), (69, 89), (33, 60)])
def test_the_crop_is_where_the_truth_shows_most(place: tuple[int, int]) -> None:
    truth = np.zeros((80, 100), np.uint16)
    top, left = place
    truth[top : top + 11, left : left + 11] = np.arange(11) * 50
    (window,) = sections(Image(truth), 32)
    shown = window.of(truth)
    assert shown.shape == (32, 32)
    assert shown.sum() > 0.9 * truth.sum()
    assert (window.section, window.cross) == ("XY", None)


def test_a_field_smaller_than_the_crop_is_shown_whole() -> None:
    image = Image(np.arange(30, dtype=np.uint8).reshape(5, 6))
    (window,) = sections(image, 192)
    assert picture_of(image, window) == image


def test_a_volume_is_shown_by_three_sections_through_its_middle_plane() -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, (5, 20, 24), dtype=np.uint16)
    pixels[:, 7, 9] = [0, 4095, 0, 4095, 0]  # the row and the column that vary most
    stack = Image(pixels, bits=12, spacing_um=(0.3, 0.1, 0.2))
    xy, xz, yz = (picture_of(stack, place) for place in sections(stack, 192))
    assert xy == Image(pixels[2], bits=12, spacing_um=(0.1, 0.2))
    row, column = sections(stack, 192)[0].cross or (-1, -1)
    assert xz == Image(pixels[:, row], bits=12, spacing_um=(0.3, 0.2))
    assert yz == Image(pixels[:, :, column].T, bits=12, spacing_um=(0.1, 0.3))


def test_sections_meet_in_one_voxel() -> None:
    """A lone bright voxel in the middle plane is where all three are cut."""
    truth = np.zeros((40, 60, 70), np.uint16)
    truth[20, 41, 13] = 900
    places = sections(Image(truth), 32)
    assert [place.section for place in places] == ["XY", "XZ", "YZ"]
    for place in places:
        shown = place.of(truth)
        assert place.cross is not None
        assert shown[place.cross] == 900
        assert max(shown.shape) == 32


def test_labels_are_shown_and_numbers_are_not() -> None:
    truth = Image(np.zeros((4, 4), np.uint8))
    (window,) = sections(truth, 192)
    labels = np.arange(16, dtype=np.int64).reshape(4, 4)
    shown = picture_of(measure_objects(labels, truth), window)
    assert shown == Image(labels.astype(np.uint16))
    assert picture_of({"cells": 3.0}, window) is None
    assert picture_of(None, window) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pictures_come_back_as_they_were(dtype: type) -> None:
    pixels = np.random.default_rng(0).normal(100, 30, (31, 17)).clip(0, 255).astype(dtype)
    picture = Image(pixels, spacing_um=(0.1, 0.1))
    digest, data = pack_picture(picture)
    assert unpack_picture(data) == picture
    assert pack_picture(picture) == (digest, data)
