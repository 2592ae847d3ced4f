"""The U-Net: what it sees is what is computed, and its export is the same function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytopress.models.model_package import write_package
from cytopress.training.receptive import receptive_field

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("onnx", reason="needs onnx (extra learn)")
pytestmark = pytest.mark.learn


def _positive(network):  # type: ignore[no-untyped-def]
    """Return the network with weights that let every path through."""
    with torch.no_grad():
        for weights in network.parameters():
            weights.uniform_(0.1, 1)
    return network.eval()


def _seen(network, axis: int, period: int, length: int, shape: list[int]) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    """Return size and reach along an axis, of every place in the coarsest grid, by gradients."""
    size = reach = 0
    shape = [*shape[:axis], length, *shape[axis + 1 :]]
    others = tuple(place for place in range(len(shape)) if place != axis)
    for place in range(length // 2, length // 2 + period):
        support = torch.zeros(length)
        at = tuple(place if along == axis else n // 2 for along, n in enumerate(shape))
        # Pooling passes the gradient to one pixel of each window, so several inputs are needed.
        for _ in range(4):
            field = torch.rand(1, 1, *shape, requires_grad=True)
            network(field)[(0, 0, *at)].backward()
            support += field.grad[0, 0].abs().sum(others)
        seen = torch.nonzero(support).ravel()
        size = max(size, int(seen[-1] - seen[0]) + 1)
        reach = max(reach, place - int(seen[0]), int(seen[-1]) - place)
    return size, reach


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_receptive_field_is_the_gradients_support(depth: int) -> None:
    from cytopress.training.network import UNet

    torch.manual_seed(0)
    stride = 2**depth
    found = _seen(_positive(UNet(2, depth)), 1, stride, 64 * stride, [4 * stride, 0])
    assert found == (receptive_field(depth).size, receptive_field(depth).reach)


@pytest.mark.parametrize(
    ("depth", "halvings", "fold"), [(1, 0, 1), (2, 1, 1), (2, 2, 1), (2, 1, 2)]
)
def test_receptive_field_of_a_volume_is_the_gradients_support(
    depth: int, halvings: int, fold: int
) -> None:
    from cytopress.training.network import UNet
    from cytopress.training.options import Volume

    torch.manual_seed(0)
    network = _positive(UNet(1, depth, volume=Volume(halvings=halvings, fold=fold)))
    assert network.strides == (2**halvings, fold * 2**depth, fold * 2**depth)
    shape = [4 * step for step in network.strides]
    z = receptive_field(depth, halved=halvings)
    assert _seen(network, 0, network.strides[0], 48, shape) == (z.size, z.reach)
    plane = receptive_field(depth, fold=fold)
    assert _seen(network, 2, network.strides[2], 24 * network.stride, shape) == (
        plane.size,
        plane.reach,
    )


@pytest.mark.parametrize("fold", [1, 2])
def test_export_of_a_volume_network_takes_any_size(tmp_path: Path, fold: int) -> None:
    from cytopress.training.network import UNet
    from cytopress.training.onnx_export import export_onnx
    from cytopress.training.options import Volume

    torch.manual_seed(1)
    network = UNet(6, 2, 3, Volume(halvings=1, fold=fold))
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(2, 1, 4, 16, 16) * 2 + 0.5)
    network.eval()
    graph = export_onnx(network, stride=network.strides)
    manifest = {"kind": "task", "name": "x/y", "architecture": "unet", "axes": "ZYX"}
    package = write_package(tmp_path / "x.cytomodel", manifest, graphs={"network": graph})
    for batch, shape in ((1, (2, 8, 24)), (2, (10, 24, 16))):
        volume = torch.randn(batch, 1, *shape)
        with torch.no_grad():
            expected = network(volume).numpy()
        (found,) = package.run("network", volume.numpy())
        assert found.shape == (batch, 3, *shape)
        np.testing.assert_allclose(found, expected, atol=2e-3 * float(np.abs(expected).max()))


def test_export_is_the_same_function_in_half_the_bytes(tmp_path: Path) -> None:
    from cytopress.training.network import UNet
    from cytopress.training.onnx_export import export_onnx

    torch.manual_seed(1)
    network = UNet(8, 2)
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(4, 1, 32, 32) * 2 + 0.5)
    network.eval()
    graph = export_onnx(network, stride=4)
    assert len(graph) < 2.6 * sum(weights.numel() for weights in network.parameters())
    manifest = {"kind": "task", "name": "x/y", "architecture": "unet", "axes": "YX"}
    package = write_package(tmp_path / "x.cytomodel", manifest, graphs={"network": graph})
    plane = torch.randn(2, 1, 20, 36)
    with torch.no_grad():
        expected = network(plane).numpy()
    (found,) = package.run("network", plane.numpy())
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-3 * float(np.abs(expected).max()))
    assert export_onnx(network, stride=4) == graph
