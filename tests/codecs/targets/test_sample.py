"""The sample of an image: spread over it, with its range, and none of small images."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.targets.sample import sample_of
from cytopress.image import Image


@pytest.mark.parametrize("shape", [(512, 400), (1000, 1024), (6, 300, 300), (2, 2049, 517)])
def test_it_has_rows_from_all_over_and_the_range_of_the_image(shape: tuple[int, ...]) -> None:
    rows = np.arange(shape[-2], dtype=np.uint16)
    pixels = np.broadcast_to(rows[:, None] + 10, shape).copy()
    pixels[..., 0, -1] = 4000
    image = Image(pixels, bits=12, spacing_um=(0.5,) * len(shape))
    sample = sample_of(image)
    assert sample is not None
    assert (sample.axes, sample.bits, sample.spacing_um) == (
        "ZYX"[-len(shape) :],
        12,
        (0.5,) * len(shape),
    )
    assert sample.shape[:-2] == shape[:-2]
    assert sample.shape[-1] == shape[-1]
    assert 1 / 17 < sample.pixels.size / image.pixels.size <= 1 / 8
    assert (sample.pixels.min(), sample.pixels.max()) == (10, 4000)
    seen = (sample.pixels.reshape(-1, *sample.shape[-2:])[-1, :, -1] - 10) / shape[-2]
    shares = np.histogram(seen, 4, (0, 1))[0] / len(seen)
    assert np.all(shares > 0.2)


def test_a_large_image_has_a_smaller_share_and_a_small_one_none() -> None:
    large = sample_of(Image(np.zeros((8192, 4096), np.uint8)))
    assert large is not None
    assert large.pixels.size <= 2**20
    assert sample_of(Image(np.zeros((300, 300), np.uint8))) is None
    assert sample_of(Image(np.zeros((20, 50_000), np.uint8))) is None


def test_the_image_is_left_as_it_was() -> None:
    pixels = np.random.default_rng(0).integers(0, 99, (512, 512)).astype(np.uint8)
    image, before = Image(pixels), pixels.copy()
    sample_of(image)
    np.testing.assert_array_equal(image.pixels, before)
