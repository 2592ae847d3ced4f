import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from cytopress.codecs.learned.pixels.tiling import regions


@pytest.mark.parametrize("shape", [(1, 1), (7, 40), (33, 20)])
@pytest.mark.parametrize("size", [(1, 5), (8, 16), (64, 64)])
@pytest.mark.parametrize("scale", [1, 3])
def test_regions_with_their_halo_give_what_the_whole_gives(
    shape: tuple[int, int], size: tuple[int, int], scale: int
) -> None:
    fine = np.random.default_rng(0).normal(size=[length * scale for length in shape])
    reach = 2 * scale
    whole = uniform_filter(fine, 2 * reach + 1, mode="constant")
    found = np.full_like(fine, np.nan)
    for region in regions(*shape, size=size, halo=2):
        assert np.isnan(found[region.target(scale)]).all()
        seen = uniform_filter(fine[region.source(scale)], 2 * reach + 1, mode="constant")
        found[region.target(scale)] = seen[region.inner(scale)]
    np.testing.assert_allclose(found, whole, atol=1e-12)
