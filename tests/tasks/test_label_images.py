"""Label images against scikit-image."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter
from skimage import measure, segmentation

from cytopress.tasks.label_images import components, inner_boundary, watershed

SHAPES = [(60, 73), (1, 40), (14, 31, 20), (1, 9, 9)]


def blobs(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return a smooth field of no two equal values."""
    return gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_components_and_boundaries(shape: tuple[int, ...], seed: int) -> None:
    mask = np.random.default_rng(seed).random(shape) > 0.6
    faces, corners = (measure.label(mask, connectivity=each) for each in (1, mask.ndim))
    np.testing.assert_array_equal(components(mask), faces)
    np.testing.assert_array_equal(components(mask, corners=True), corners)
    touching = segmentation.watershed(blobs(shape, seed), faces)
    for labels in (faces, touching):
        expected = segmentation.find_boundaries(labels, mode="inner", connectivity=1)
        np.testing.assert_array_equal(inner_boundary(labels), expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_the_watershed_where_no_two_pixels_are_equally_low(
    shape: tuple[int, ...], seed: int
) -> None:
    height = blobs(shape, seed)
    mask = height < np.percentile(height, 70)
    seeds = components(height < np.percentile(height, 15))
    found = watershed(height, seeds, mask)
    np.testing.assert_array_equal(found, segmentation.watershed(height, seeds, mask=mask))
    assert not found[~mask].any()


def test_the_watershed_of_distances_where_seeds_are_equally_low() -> None:
    """Only where two seeds meet may pixels go to the other one: less than a hundredth here."""
    height = blobs((24, 40, 40), 1)
    mask = height < 0
    height = -distance_transform_edt(mask)
    seeds = components(height < -3)
    found, expected = (
        watershed(height, seeds, mask),
        segmentation.watershed(height, seeds, mask=mask),
    )
    assert seeds.max() > 10
    np.testing.assert_array_equal(found > 0, expected > 0)
    assert np.mean((found != expected)[found > 0]) < 0.01


def test_without_seeds_nothing_grows_and_seeds_outside_are_left_out() -> None:
    height, mask = np.zeros((5, 6)), np.ones((5, 6), bool)
    assert not watershed(height, np.zeros((5, 6), np.int32), mask).any()
    mask[:, 3] = False
    seeds = np.zeros((5, 6), np.int32)
    seeds[2, 3], seeds[0, 0] = 7, 4
    expected = np.where(np.arange(6) < 3, 4, 0)
    np.testing.assert_array_equal(watershed(height, seeds, mask), np.tile(expected, (5, 1)))
