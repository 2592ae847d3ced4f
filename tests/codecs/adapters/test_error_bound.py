"""The bound asked of a library leaves room for float32's own rounding."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.codecs.adapters.error_bound import strict
from cytopress.image import Image


def test_integer_images_ask_for_what_was_promised() -> None:
    assert strict(2.0, Image(np.array([[65535]], np.uint16))) == 2.0


@pytest.mark.parametrize("tolerance", [1e-4, 0.003, 0.01, 1.0])
@pytest.mark.parametrize("largest", [1.0, 4000.0, 3e6])
def test_anything_within_the_bound_rounds_to_float32_within_the_promise(
    tolerance: float, largest: float
) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, largest, 2000).astype(np.float32)
    bound = strict(tolerance, Image(pixels[np.newaxis]))
    assert 0 < bound <= tolerance
    for sign in (-1, 1):
        decoded = (pixels.astype(np.float64) + sign * bound).astype(np.float32)
        assert np.abs(decoded.astype(np.float64) - pixels).max() <= tolerance
