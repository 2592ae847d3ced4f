from __future__ import annotations

import numpy as np
import pytest

from cytopress.metrics import NoiseModel, metric


def test_one_more_picture_of_the_same_scene_is_root_two_of_rmse_sigma() -> None:
    """Two draws of the same noise differ by sqrt(2) sigma, at every level of light."""
    rng = np.random.default_rng(0)
    light = np.linspace(500, 20000, 300 * 300).reshape(300, 300)
    noise = NoiseModel(a=0.5, b=4 + 1 / 12, offset=100)
    draws = [
        np.rint(rng.poisson(light / 0.5) * 0.5 + rng.normal(0, 2, light.shape) + 100)
        for _ in range(2)
    ]
    first, second = (draw.astype(np.uint16) for draw in draws)
    value = metric("rmse_sigma", noise=noise)(first, second, 1.0)
    assert value == pytest.approx(np.sqrt(2), rel=0.01)


def test_sigma_is_the_references() -> None:
    noise = NoiseModel(a=1, b=1, offset=0)
    dark, bright = np.zeros((4, 4), np.uint16), np.full((4, 4), 99, np.uint16)
    assert metric("rmse_sigma", noise=noise)(dark, bright, 1.0) == pytest.approx(99)
    assert metric("rmse_sigma", noise=noise)(bright, dark, 1.0) == pytest.approx(9.9)
