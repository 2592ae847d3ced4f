"""Otsu's threshold against scikit-image, to the last bit."""

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from cytopress.tasks.builtin.otsu import otsu_threshold


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_is_scikit_images(seed: int) -> None:
    random = np.random.default_rng(seed)
    dark, bright = random.normal(100, 10, 5000), random.normal(random.uniform(90, 900), 40, 700)
    values = np.concatenate([dark, bright])
    assert otsu_threshold(values) == threshold_otsu(values)
    assert otsu_threshold(values.reshape(-1, 3)) == threshold_otsu(values)


def test_two_values_are_parted() -> None:
    values = np.repeat([3.0, 9.0], [40, 2])
    assert 3 <= otsu_threshold(values) < 9
