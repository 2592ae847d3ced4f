"""The square of a plane that shows most."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.crop import busiest_square


def test_the_square_lies_where_the_pixels_vary():
    plane = np.zeros((100, 90))
    plane[60:80, 30:50:2] = 1
    rows, columns = busiest_square(plane, 40)
    assert plane[rows, columns].shape == (40, 40)
    assert plane[rows, columns].sum() == plane.sum()


@pytest.mark.parametrize("shape", [(1, 1), (30, 200), (40, 40), (41, 39)])
def test_a_short_axis_is_kept_whole(shape):
    plane = np.random.default_rng(0).random(shape)
    cut = plane[busiest_square(plane, 40)]
    assert cut.shape == tuple(min(length, 40) for length in shape)
