"""The separable transforms: those of two and three dimensions, and their bounds."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")

from cytopress.codecs.learned.pixels.slabs import SlabLayout  # noqa: E402
from cytopress.training.codec.export import reach  # noqa: E402
from cytopress.training.codec.separable import (  # noqa: E402
    MOST,
    SeparableAnalysis,
    SeparableSynthesis,
)
from cytopress.training.codec.separable_slabs import SlabAnalysis, SlabSynthesis  # noqa: E402
from cytopress.training.codec.transforms import Analysis, Synthesis  # noqa: E402

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
    x = torch.rand(2, 1, 4 * stride, 5 * stride)
    torch.testing.assert_close(
        SeparableAnalysis((8,), stride).linear(x),
        Analysis(stride**2, widths, stride).linear(x),
        atol=1e-5,
        rtol=1e-5,
    )


@pytest.mark.parametrize(("depth", "channels"), [(2, 100), (4, 128)])
def test_of_volumes_it_starts_as_the_one_of_three(depth: int, channels: int) -> None:
    torch.manual_seed(1)
    slabs = SlabLayout(depth, depth // 2, 1)
    back = SlabSynthesis(channels, (8, 8), 8, slabs)
    torch.nn.init.zeros_(back.network[-1].weight)  # type: ignore[arg-type]
    y = torch.randn(2, 3 * channels, 3, 5)
    dense = Synthesis(channels, (4, 8), 8, slabs).linear
    torch.testing.assert_close(back(y), dense(y), atol=1e-5, rtol=1e-5)
    x = torch.rand(2, slabs.window, 24, 40)
    torch.testing.assert_close(
        SlabAnalysis(channels, (8,), 8, slabs).linear(x),
        Analysis(channels, (4, 8), 8, slabs).linear(x),
        atol=1e-5,
        rtol=1e-5,
    )


def test_nothing_farther_than_its_reach_changes_a_latent_or_a_pixel() -> None:
    torch.manual_seed(1)
    slabs = SlabLayout(2, 1, 1)
    pairs = [
        (SeparableAnalysis((8, 8), 8), SeparableSynthesis((8, 8), 8)),
        (SlabAnalysis(90, (8, 8), 8, slabs), SlabSynthesis(90, (8, 8), 8, slabs)),
    ]
    for analysis, synthesis in pairs:
        for layer in (analysis.along_x, analysis.along_y, synthesis.along_x, synthesis.along_y):
            # Cosines of blocks do not overlap yet.
            torch.nn.init.uniform_(layer.weight, 0.1, 1.0)
        planes = analysis.along_z.in_channels if isinstance(analysis, SlabAnalysis) else 1
        x = torch.rand(1, planes, 8, 160, requires_grad=True)
        analysis(x)[..., 10].square().sum().backward()
        (seen,) = torch.nonzero(x.grad.abs().sum((0, 1, 2)), as_tuple=True)
        # The latent's own pixels are 80 to 87.
        assert 80 - seen.min() <= reach(analysis)
        assert seen.max() - 87 <= reach(analysis)
        channels = 64 if planes == 1 else 3 * 90
        y = torch.randn(1, channels, 1, 20, requires_grad=True)
        synthesis(y)[..., 80].square().sum().backward()
        (seen,) = torch.nonzero(y.grad.abs().sum((0, 1, 2)), as_tuple=True)
        assert 80 - 8 * seen.min() <= reach(synthesis)
        assert 8 * seen.max() + 7 - 80 <= reach(synthesis) + 7


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
