"""Tiling: exactly the whole, with bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cytopress.tasks.tiling import Plane, run_tiled

STRIDE, REACH = 4, 7


class Model:
    """Shifts with period STRIDE, sees REACH pixels, treats its border in a way of its own."""

    def __init__(self) -> None:
        self.largest = 0

    def __call__(self, plane: Plane) -> Plane:
        assert all(length % STRIDE == 0 for length in plane.shape)
        self.largest = max(self.largest, *plane.shape)
        phase = np.add.outer(np.arange(plane.shape[0]) % STRIDE, np.arange(plane.shape[1]) % STRIDE)
        seen = ndimage.uniform_filter(plane, 2 * REACH + 1, mode="constant", cval=3.0)
        return np.asarray(seen * (1 + phase), np.float32)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (37, 3), (64, 64), (61, 83)])
@pytest.mark.parametrize("tile", [4, 10, 64, 1000])
def test_tiled_is_the_whole(shape: tuple[int, int], tile: int) -> None:
    plane = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    pads = [(0, -length % STRIDE) for length in shape]
    whole = Model()(np.pad(plane, pads, mode="edge"))[: shape[0], : shape[1]]
    tiled = run_tiled(Model(), plane, stride=STRIDE, reach=REACH, tile=tile)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-5)
    assert tiled.dtype == np.float32
    assert tiled.shape == shape


@pytest.mark.parametrize("tile", [16, 1000])
def test_channels_are_tiled_alike(tile: int) -> None:
    plane = np.random.default_rng(0).normal(size=(37, 50)).astype(np.float32)
    form = {"stride": STRIDE, "reach": REACH, "tile": tile}
    alone = run_tiled(Model(), plane, **form)
    together = run_tiled(lambda seen: np.stack([Model()(seen), -seen]), plane, **form)
    assert together.shape == (2, 37, 50)
    np.testing.assert_array_equal(together, [alone, -plane])


def test_no_more_than_tile_and_halo_is_seen() -> None:
    model = Model()
    run_tiled(model, np.zeros((200, 300), np.float32), stride=STRIDE, reach=REACH, tile=32)
    assert model.largest <= 32 + 2 * 8


def test_too_small_a_reach_would_be_found_out() -> None:
    plane = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    short = run_tiled(Model(), plane, stride=STRIDE, reach=2, tile=16)
    assert np.abs(short - Model()(plane)).max() > 0.01
