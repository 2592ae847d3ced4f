"""Tiling: exactly the whole, with bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod

import numpy as np
import pytest
from scipy import ndimage

from cytopress.tiling import Values, run_tiled, run_windows, tile_within, tiles

# Of Z, Y and X: planes are fewer, and matter less far away.
STRIDE, REACH = (2, 4, 4), (3, 7, 7)


class Model:
    """Shifts with period STRIDE, sees REACH pixels, treats its border in a way of its own."""

    def __init__(self) -> None:
        self.largest = 0

    def __call__(self, seen: Values) -> Values:
        stride, reach = STRIDE[-seen.ndim :], REACH[-seen.ndim :]
        assert all(length % step == 0 for length, step in zip(seen.shape, stride, strict=True))
        self.largest = max(self.largest, seen.size)
        phases = [np.arange(n) % step for n, step in zip(seen.shape, stride, strict=True)]
        size = [2 * far + 1 for far in reach]
        mean = ndimage.uniform_filter(seen, size, mode="constant", cval=3.0)
        return np.asarray(mean * (1 + reduce(np.add.outer, phases)), np.float32)


def _random(shape: Sequence[int]) -> Values:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _tiled(
    values: Values, tile: Sequence[int], reach: Sequence[int] = REACH, model: object = None
) -> Values:
    axes = slice(-values.ndim, None)
    return run_tiled(
        model or Model(),  # type: ignore[arg-type]
        values,
        stride=STRIDE[axes],
        reach=reach[axes],
        tile=tile[axes],
    )


def _whole(values: Values) -> Values:
    steps = zip(values.shape, STRIDE[-values.ndim :], strict=True)
    padded = np.pad(values, [(0, -length % step) for length, step in steps], mode="edge")
    return Model()(padded)[tuple(map(slice, values.shape))]


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (37, 3), (64, 64), (61, 83), (1, 20, 30)])
@pytest.mark.parametrize("tile", [4, 10, 64, 1000])
def test_tiled_is_the_whole(shape: tuple[int, ...], tile: int) -> None:
    values = _random(shape)
    tiled = _tiled(values, [tile] * 3)
    np.testing.assert_allclose(tiled, _whole(values), rtol=0, atol=1e-5)
    assert tiled.dtype == np.float32
    assert tiled.shape == shape


@pytest.mark.parametrize("tile", [(3, 8, 20), (2, 64, 64), (64, 4, 12)])
def test_a_tiled_volume_is_the_whole_and_has_no_seams(tile: tuple[int, ...]) -> None:
    values = _random((11, 37, 50))
    error = np.abs(_tiled(values, tile) - _whole(values))
    assert error.max() < 1e-5
    # Errors of rounding: no larger beside the borders of tiles than elsewhere.
    rows = -(-tile[1] // 4) * 4
    border = np.arange(37) % rows < 2
    assert error[:, border].mean() < 2 * error.mean() + 1e-7


@pytest.mark.parametrize("tile", [16, 1000])
def test_channels_are_tiled_alike(tile: int) -> None:
    plane = _random((37, 50))
    together = _tiled(plane, [tile] * 3, model=lambda seen: np.stack([Model()(seen), -seen]))
    assert together.shape == (2, 37, 50)
    np.testing.assert_array_equal(together, [_tiled(plane, [tile] * 3), -plane])


def test_no_more_than_tile_and_halo_is_seen() -> None:
    model = Model()
    _tiled(np.zeros((200, 300), np.float32), [32] * 3, model=model)
    assert model.largest <= (32 + 2 * 8) ** 2


def test_too_small_a_reach_would_be_found_out() -> None:
    for shape in ((64, 64), (16, 16, 16)):
        values = _random(shape)
        short = _tiled(values, [8] * 3, reach=(1, 2, 2))
        assert np.abs(short - _whole(values)).max() > 0.01


@pytest.mark.parametrize("shape", [(1, 64, 64), (60, 256, 256), (9, 700, 40), (300, 10, 1000)])
@pytest.mark.parametrize("most", [2_000, 50_000, 10**7])
def test_a_tile_is_as_large_as_memory_allows(shape: tuple[int, ...], most: int) -> None:
    tile = tile_within(shape, stride=STRIDE, reach=REACH, most=most)
    halo, lengths = (4, 8, 8), [-(-n // step) * step for n, step in zip(shape, STRIDE, strict=True)]
    seen = prod(min(t + 2 * h, n) for t, h, n in zip(tile, halo, lengths, strict=True))
    smallest = prod(min(s + 2 * h, n) for s, h, n in zip(STRIDE, halo, lengths, strict=True))
    assert seen <= max(most, smallest)
    assert all(kept % step == 0 for kept, step in zip(tile, STRIDE, strict=True))
    if prod(lengths) <= most:
        assert list(tile) == lengths


@pytest.mark.parametrize("shape", [(1, 1), (7, 40), (33, 20)])
@pytest.mark.parametrize("size", [(1, 5), (8, 16), (64, 64)])
@pytest.mark.parametrize("scale", [1, 3])
def test_tiles_with_their_halo_give_what_the_whole_gives(
    shape: tuple[int, int], size: tuple[int, int], scale: int
) -> None:
    fine = np.random.default_rng(0).normal(size=[length * scale for length in shape])
    reach = 2 * scale
    whole = ndimage.uniform_filter(fine, 2 * reach + 1, mode="constant")
    found = np.full_like(fine, np.nan)
    for tile in tiles(shape, size=size, halo=(2, 2)):
        assert np.isnan(found[tile.target(scale)]).all()
        seen = ndimage.uniform_filter(fine[tile.source(scale)], 2 * reach + 1, mode="constant")
        found[tile.target(scale)] = seen[tile.inner(scale)]
    np.testing.assert_allclose(found, whole, atol=1e-12)


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
