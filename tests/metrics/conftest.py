"""A picture and a worse copy of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

Pixels = npt.NDArray[np.uint16]


@pytest.fixture(scope="session")
def reference() -> Pixels:
    """200 x 232, uint16, on a camera offset."""
    rng = np.random.default_rng(1)
    smooth = ndimage.gaussian_filter(rng.normal(size=(200, 232)), 3)
    light = 2000 + 300 * smooth / smooth.std() + rng.normal(0, 30, smooth.shape)
    return np.rint(light).astype(np.uint16)


@pytest.fixture(scope="session")
def test_image(reference: Pixels) -> Pixels:
    """The reference, blurred, brighter by a count or two, noisy."""
    rng = np.random.default_rng(2)
    blurred = ndimage.gaussian_filter(reference.astype(np.float64), 0.8)
    return np.rint(blurred + 1.5 + rng.normal(0, 100, blurred.shape)).astype(np.uint16)


@pytest.fixture
def data_range() -> float:
    return 2500.0
