from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import normalized_root_mse

from cytopress.metrics import metric


def test_as_in_scikit_image(reference, test_image) -> None:
    span = float(reference.max()) - float(reference.min())
    # scikit-image takes the range from its first image.
    expected = normalized_root_mse(reference, test_image, normalization="min-max")
    assert metric("nrmse")(reference, test_image, span) == pytest.approx(expected, rel=1e-12)


def test_range_is_the_one_given() -> None:
    reference = np.zeros((3, 3), np.uint8)
    assert metric("nrmse")(reference, reference + np.uint8(5), 50) == pytest.approx(0.1)
