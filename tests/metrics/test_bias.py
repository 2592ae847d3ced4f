from __future__ import annotations

import numpy as np
import pytest

from cytopress.metrics import metric


def test_sign_says_whether_the_test_is_brighter() -> None:
    reference = np.array([[10, 10], [10, 10]], np.uint8)
    test = np.array([[11, 12], [10, 10]], np.uint8)
    assert metric("bias")(reference, test, 255) == pytest.approx(0.75)
    assert metric("bias")(test, reference, 255) == pytest.approx(-0.75)


def test_noise_of_zero_mean_has_none(reference) -> None:
    rows, columns = np.indices(reference.shape)
    test = (reference.astype(int) + np.where((rows + columns) % 2, 5, -5)).astype(np.uint16)
    assert metric("bias")(reference, test, 2500) == pytest.approx(0, abs=1e-9)
