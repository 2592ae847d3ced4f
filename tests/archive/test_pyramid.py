"""Lower resolutions."""

from __future__ import annotations

import numpy as np
import pytest

from cytopress.archive.pyramid import halved


def test_means_are_rounded_and_unbiased_over_even_and_odd_shapes() -> None:
    random = np.random.default_rng(0)
    for shape in ((2, 64, 64), (7, 5), (1, 1), (2, 3, 9)):
        pixels = random.integers(0, 2**16, shape).astype(np.uint16)
        edges = [(0, 0)] * (len(shape) - 2) + [(0, length % 2) for length in shape[-2:]]
        padded = np.pad(pixels, edges, "edge").astype(float)
        *front, rows, columns = padded.shape
        means = padded.reshape(*front, rows // 2, 2, columns // 2, 2).mean((-3, -1))
        np.testing.assert_array_equal(halved(pixels), np.rint(means))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_extremes_do_not_overflow(dtype: str) -> None:
    for value in (np.iinfo if np.dtype(dtype).kind != "f" else np.finfo)(dtype).max, 0:
        pixels = np.full((4, 4), value, dtype)
        if np.dtype(dtype) != np.float64:
            np.testing.assert_array_equal(halved(pixels), pixels[:2, :2])
