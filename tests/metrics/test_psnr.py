from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from cytopress.metrics import metric


def test_as_in_scikit_image(reference, test_image, data_range) -> None:
    expected = peak_signal_noise_ratio(reference, test_image, data_range=data_range)
    assert metric("psnr")(reference, test_image, data_range) == pytest.approx(expected, rel=1e-12)


def test_error_of_a_tenth_of_the_range_is_20_db() -> None:
    reference = np.zeros((3, 3), np.uint16)
    assert metric("psnr")(reference, reference + np.uint16(100), 1000) == pytest.approx(20)


def test_equal_images_are_infinite(reference, data_range) -> None:
    assert metric("psnr")(reference, reference.copy(), data_range) == math.inf
