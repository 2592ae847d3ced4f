"""Crops for the gallery: where the truth shows most, the same for every picture, lossless."""

import numpy as np
import pytest

from cytopress.image import Image
from cytopress.study.pictures import crop, pack_picture, picture_of, unpack_picture
from cytopress.tasks.objects import measure_objects


@pytest.mark.parametrize("place", [(0, 0), (70, 5), (69, 89), (33, 60)])
def test_the_crop_is_where_the_truth_shows_most(place: tuple[int, int]) -> None:
    truth = np.zeros((80, 100), np.uint16)
    top, left = place
    truth[top : top + 11, left : left + 11] = np.arange(11) * 50
    window = crop(Image(truth), 32)
    shown = truth[window.rows, window.columns]
    assert shown.shape == (32, 32)
    assert shown.sum() > 0.9 * truth.sum()


def test_a_field_smaller_than_the_crop_is_shown_whole() -> None:
    image = Image(np.arange(30, dtype=np.uint8).reshape(5, 6))
    assert picture_of(image, crop(image, 192)) == image


def test_a_stack_is_shown_by_its_middle_plane() -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, (5, 20, 24), dtype=np.uint16)
    stack = Image(pixels, bits=12, spacing_um=(0.3, 0.1, 0.2))
    shown = picture_of(stack, crop(stack, 192))
    assert shown == Image(pixels[2], bits=12, spacing_um=(0.1, 0.2))


def test_labels_are_shown_and_numbers_are_not() -> None:
    truth = Image(np.zeros((4, 4), np.uint8))
    labels = np.arange(16, dtype=np.int64).reshape(4, 4)
    shown = picture_of(measure_objects(labels, truth), crop(truth, 192))
    assert shown == Image(labels.astype(np.uint16))
    assert picture_of({"cells": 3.0}, crop(truth, 192)) is None
    assert picture_of(None, crop(truth, 192)) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pictures_come_back_as_they_were(dtype: type) -> None:
    pixels = np.random.default_rng(0).normal(100, 30, (31, 17)).clip(0, 255).astype(dtype)
    picture = Image(pixels, spacing_um=(0.1, 0.1))
    digest, data = pack_picture(picture)
    assert unpack_picture(data) == picture
    assert pack_picture(picture) == (digest, data)
