"""The separable synthesis: the lapped transform of two dimensions, and its bounds."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")

from cytopress.training.codec.separable import MOST, SeparableSynthesis  # noqa: E402
from cytopress.training.codec.transforms import Synthesis  # noqa: E402

pytestmark = pytest.mark.learn


@pytest.mark.parametrize("stride", [8, 16])
def test_its_transform_starts_as_the_one_of_two_dimensions(stride: int) -> None:
    torch.manual_seed(1)
    separable = SeparableSynthesis((8, 8), stride)
    torch.nn.init.zeros_(separable.network[-1].weight)  # type: ignore[arg-type]
    widths = (4, 8) if stride == 8 else (4, 4, 8)
    dense = Synthesis(stride**2, widths, stride).linear
    y = torch.randn(2, stride**2, 3, 5)
    torch.testing.assert_close(separable(y), dense(y), atol=1e-5, rtol=1e-5)


def test_the_transform_is_a_product_of_filters() -> None:
    torch.manual_seed(1)
    separable = SeparableSynthesis((8,), 8)
    torch.nn.init.zeros_(separable.network[-1].weight)  # type: ignore[arg-type]
    for layer in (separable.along_y, separable.along_x):
        torch.nn.init.normal_(layer.weight)
    y = torch.zeros(1, 64, 5, 5)
    # Third in order of frequency: once along y, constant along x.
    y[0, 2, 2, 2] = 1.0
    block = separable(y)[0, 0, 12:28, 12:28]
    down = separable.along_y.weight[1, 0, :, 0]
    across = separable.along_x.weight[0, 0, 0]
    torch.testing.assert_close(block, torch.outer(down, across))


def test_activations_of_its_network_are_bounded() -> None:
    torch.manual_seed(1)
    network = SeparableSynthesis((8, 8), 8).network
    seen: list[float] = []
    for layer in list(network)[1:-1]:
        layer.register_forward_hook(lambda _, __, out: seen.append(float(out.detach().abs().max())))
    network(1e6 * torch.randn(1, 64, 4, 4).clamp(-MOST, MOST))
    assert len(seen) == 3
    assert max(seen) <= MOST
