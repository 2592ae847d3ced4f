from __future__ import annotations

import numpy as np

from cytopress.metrics import metric


def test_one_pixel_decides_in_both_directions() -> None:
    reference = np.full((4, 5, 6), 100, np.uint16)
    for value in (93, 107):
        test = reference.copy()
        test[3, 0, 5] = value
        assert metric("max_error")(reference, test, 1000) == 7


def test_full_range() -> None:
    low, high = np.zeros((2, 2), np.uint16), np.full((2, 2), 65535, np.uint16)
    assert metric("max_error")(low, high, 1000) == 65535
