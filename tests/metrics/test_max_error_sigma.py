from __future__ import annotations

import numpy as np
import pytest

from cytopress.metrics import NoiseModel, metric


def test_worst_pixel_is_worst_against_its_own_noise() -> None:
    noise = NoiseModel(a=1, b=4, offset=100)
    reference = np.array([[100, 6100]], np.uint16)
    test = np.array([[106, 6130]], np.uint16)
    # 6 counts over 2 in the dark, 30 over 77.5 in the light.
    assert metric("max_error_sigma", noise=noise)(reference, test, 1.0) == pytest.approx(3)
