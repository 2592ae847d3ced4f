"""Windows of one size: put together they are the whole, and none sees what is not there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cytopress.tasks.foreign.windows import Values, fitting, halos, run_windows


class Mean:
    """Mean of 3 x 3 pixels with zeros around, of one window size only; a second channel of ones."""

    def __init__(self, window: tuple[int, ...]) -> None:
        self.window = window
        self.calls = 0

    def __call__(self, part: Values) -> Values:
        assert part.shape == (1, *self.window)
        self.calls += 1
        mean = ndimage.uniform_filter(part[0], 3, mode="constant")
        return np.stack([mean, np.ones_like(mean)]).astype(np.float32)


@pytest.mark.parametrize("shape", [(16, 16), (17, 16), (40, 61), (16, 100), (31, 33)])
@pytest.mark.parametrize("halo", [1, 3, 7])
def test_windows_are_the_whole(shape: tuple[int, int], halo: int) -> None:
    plane = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = run_windows(Mean((16, 16)), plane[np.newaxis], window=(16, 16), halo=(halo, halo))
    whole = ndimage.uniform_filter(plane, 3, mode="constant")
    np.testing.assert_allclose(found[0], whole, atol=1e-6)
    assert found.shape == (2, *shape)
    assert (found[1] == 1).all()


def test_no_halo_shows_its_seams() -> None:
    plane = np.ones((1, 32, 32), np.float32)
    found = run_windows(Mean((16, 16)), plane, window=(16, 16), halo=(0, 0))
    assert found[0, 15, 15] < 1


def test_stacks() -> None:
    stack = np.random.default_rng(0).normal(size=(9, 20, 18)).astype(np.float32)
    found = run_windows(Mean((6, 8, 8)), stack[np.newaxis], window=(6, 8, 8), halo=(1, 2, 2))
    np.testing.assert_allclose(
        found[0], ndimage.uniform_filter(stack, 3, mode="constant"), atol=1e-6
    )


@pytest.mark.parametrize("shape", [(1, 1), (5, 12), (1, 40)])
def test_small_images_are_mirrored_at_their_far_edges(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    seen = []

    def keep(part: Values) -> Values:
        seen.append(part[0])
        return part

    found = run_windows(keep, plane[np.newaxis], window=(12, 12), halo=(2, 2))
    np.testing.assert_array_equal(found[0], plane)
    if shape == (5, 12):
        np.testing.assert_array_equal(seen[0][5:10], plane[::-1])


def test_sizes_that_a_model_takes() -> None:
    assert fitting(1000, fixed=256) == 256
    assert fitting(1000, fixed=None) == 1000
    assert fitting(1000, fixed=None, least=32, step=32) == 1024
    assert fitting(10, fixed=None, least=64, step=16) == 64
    assert fitting(1000, fixed=None, least=64, step=16, tile=100) == 112


def test_a_halo_only_where_there_are_several_windows() -> None:
    assert halos(None, (64, 64), (64, 65)) == [0, 8]
    assert halos(5, (64, 64), (200, 200)) == [5, 5]
    assert halos(99, (8, 64), (9, 9)) == [3, 0]
