"""Turns: each place is taken once, and goes by places that were taken before it."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.learned.turns import CHECKERBOARD, ORDERS, QUARTERS, Turn

every_order = pytest.mark.parametrize("order", ORDERS, ids=["checkerboard", "quarters"])


@every_order
def test_each_place_is_taken_once_and_put_back(order: tuple[Turn, ...]) -> None:
    whole = np.random.default_rng(4).integers(1, 10**6, (3, 4, 6)).astype(float)
    again = np.zeros_like(whole)
    for turn in order:
        before = again.copy()
        picked = turn.pick(whole)
        assert picked.size == whole.size * len(turn.places) // 4
        turn.put(again, picked)
        assert not before[again != before].any()
    np.testing.assert_array_equal(again, whole)


@every_order
def test_neighbors_lie_where_they_should_and_are_known(order: tuple[Turn, ...]) -> None:
    rows, columns = np.mgrid[:6, :8]
    number = (1 + 8 * rows + columns)[None].astype(float)
    taken = np.zeros((1, 6, 8))
    for turn in order:
        seen = turn.known(np.pad(number, ((0, 0), (1, 1), (1, 1))))
        own = turn.pick(number)[0]
        known = turn.known(np.pad(taken, ((0, 0), (1, 1), (1, 1))))
        for place, found, decoded in zip(turn.around, seen, known, strict=True):
            row, column = (own - 1) // 8 + place[0], (own - 1) % 8 + place[1]
            inside = (row >= 0) & (row < 6) & (column >= 0) & (column < 8)
            np.testing.assert_array_equal(found, np.where(inside, 1 + 8 * row + column, 0))
            np.testing.assert_array_equal(decoded, inside)
        turn.put(taken, np.ones_like(own)[None])
    assert taken.all()


def test_several_channels_stay_apart() -> None:
    whole = np.random.default_rng(5).normal(size=(3, 6, 6))
    seen = QUARTERS[3].known(whole).reshape(8, 3, 2, 2)
    np.testing.assert_array_equal(seen[0], whole[:, 1:5:2, 1:5:2])
    np.testing.assert_array_equal(CHECKERBOARD[0].pick(whole)[:, 1], whole[:, 1, 1::2])
