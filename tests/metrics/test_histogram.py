import numpy as np
import pytest

from cytopress.metrics.histogram import histogram, histogram_percentiles


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (31, 17), (5, 12, 11)])
def test_percentiles_are_numpys(dtype: type, shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(4)
    for _ in range(20):
        scale = random.uniform(1, 2000)
        pixels = random.gamma(2, scale, shape).clip(0, np.iinfo(dtype).max).astype(dtype)
        percentiles = (0, 0.01, 0.1, 37, *random.uniform(0, 100, 5), 99.99, 100)
        found = histogram_percentiles(histogram(pixels), percentiles)
        assert found == pytest.approx(np.percentile(pixels, percentiles), rel=1e-13)


def test_a_histogram_counts_every_pixel() -> None:
    counts = histogram(np.array([[0, 3], [3, 65_535]], np.uint16))
    assert (counts[[0, 3, 65_535]] == [1, 2, 1]).all()
    assert counts.sum() == 4
