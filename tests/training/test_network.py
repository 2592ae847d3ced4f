"""The U-Net: what it sees is what is computed, and its export is the same function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytopress.package import write_package
from cytopress.training.receptive import receptive_field

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("onnx", reason="needs onnx (extra learn)")
pytestmark = pytest.mark.learn


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_receptive_field_is_the_gradients_support(depth: int) -> None:
    from cytopress.training.network import UNet

    torch.manual_seed(0)
    network = UNet(2, depth).eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights.uniform_(0.1, 1)
    length, size, reach = 64 * 2**depth, 0, 0
    for place in range(length // 2, length // 2 + 2**depth):
        support = torch.zeros(length)
        # Pooling passes the gradient to one pixel of each window, so several inputs are needed.
        for _ in range(4):
            plane = torch.rand(1, 1, 4 * 2**depth, length, requires_grad=True)
            network(plane)[0, 0, 2 * 2**depth, place].backward()
            support += plane.grad[0, 0].abs().sum(0)
        seen = torch.nonzero(support).ravel()
        size = max(size, int(seen[-1] - seen[0]) + 1)
        reach = max(reach, place - int(seen[0]), int(seen[-1]) - place)
    assert (size, reach) == (receptive_field(depth).size, receptive_field(depth).reach)


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
