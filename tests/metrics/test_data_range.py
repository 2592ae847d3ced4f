import numpy as np
import pytest

from cytopress.metrics.data_range import data_range


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_span_is_that_of_all_pixels_together(dtype: type) -> None:
    random = np.random.default_rng(3)
    images = [
        (random.gamma(2, 20 + 5 * i, (30, 31 + i))).clip(0, 255).astype(dtype) for i in range(4)
    ]
    low, high = np.percentile(np.concatenate([i.ravel() for i in images]), (0.01, 99.99))
    assert data_range(images) == pytest.approx(high - low, rel=1e-5)
    assert data_range([np.full((5, 5), 7, dtype)]) == 1.0
