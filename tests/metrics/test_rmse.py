from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import mean_squared_error

from cytopress.metrics import metric


def test_closed_form_and_no_wrap_around_of_unsigned_integers() -> None:
    reference = np.array([[0, 10], [20, 255]], np.uint8)
    test = np.array([[3, 6], [20, 255]], np.uint8)
    assert metric("rmse")(reference, test, 255) == pytest.approx(2.5)


def test_as_in_scikit_image(reference, test_image, data_range) -> None:
    expected = np.sqrt(mean_squared_error(reference, test_image))
    assert metric("rmse")(reference, test_image, data_range) == pytest.approx(expected, rel=1e-12)


def test_float32_is_computed_in_double_precision() -> None:
    reference = np.full((50, 50), 16777216.0, np.float32)
    test = reference - 1
    assert metric("rmse")(reference, test, 1.0) == 1.0
