"""A task's network rebuilt from its package: onnxruntime's function, and nothing learns in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cytopress
from cytopress.errors import PackageError, TaskError
from cytopress.models.model_package import Package, open_package, write_package

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
onnx = pytest.importorskip("onnx", reason="needs onnx (extra learn)")
pytestmark = pytest.mark.learn

from cytopress.training.frozen import frozen_network  # noqa: E402
from cytopress.training.network import UNet  # noqa: E402
from cytopress.training.onnx_export import export_onnx  # noqa: E402

MODELS = Path(cytopress.__file__).parent / "models" / "shipped"
SHIPPED = sorted(set(MODELS.glob("labelfree-*.cytomodel")) - set(MODELS.glob("*-3d.cytomodel")))
MANIFEST = {"kind": "task", "name": "labelfree/a", "architecture": "unet", "axes": "YX"}


def _package(folder: Path, graph: bytes | None = None, **manifest: Any) -> Package:
    """Write a U-Net whose normalizations have seen something, of 2 halvings unless given."""
    if graph is None:
        torch.manual_seed(1)
        network = UNet(5, 2).train()
        with torch.no_grad():
            for _ in range(3):
                network(torch.randn(4, 1, 32, 32) * 2 + 0.5)
        graph = export_onnx(network, stride=4)
    path = folder / "a.cytomodel"
    return write_package(path, {**MANIFEST, **manifest}, graphs={"network": graph})


def _planes() -> Any:
    return np.random.default_rng(1).normal(size=(2, 1, 64, 96)).astype(np.float32)


def _agrees(package: Package) -> None:
    x = _planes()
    (expected,) = package.run("network", x, threads=1)
    with torch.no_grad():
        found = frozen_network(package)(torch.from_numpy(x)).numpy()
    assert expected.std() > 0.001
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_it_is_what_onnxruntime_computes(tmp_path: Path) -> None:
    _agrees(_package(tmp_path))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_of_a_shipped_task_too(path: Path) -> None:
    _agrees(open_package(path))


def test_features_are_what_the_last_layer_reads(tmp_path: Path) -> None:
    package, x = _package(tmp_path), torch.from_numpy(_planes())
    features = frozen_network(package, "features")(x)
    assert features.shape == (2, 5, 64, 96)
    torch.testing.assert_close(frozen_network(package).head(features), frozen_network(package)(x))


def test_gradients_pass_through_and_change_nothing(tmp_path: Path) -> None:
    network = frozen_network(_package(tmp_path))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x = torch.from_numpy(_planes()).requires_grad_()
    network.train()
    network(x).square().mean().backward()
    assert not network.training
    assert float(x.grad.abs().sum()) > 0
    assert all(weight.grad is None for weight in network.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"name": "segmentation/a"}, "segmentation/a is no task .* families labelfree,"),
        ({"kind": "codec", "name": "learned/a"}, "learned/a is no task"),
        ({"axes": "ZYX"}, "a unet for ZYX, where .* a unet for YX"),
        ({"architecture": "forest"}, "a forest for YX"),
    ],
    ids=["family", "codec", "axes", "architecture"],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, manifest: dict[str, str], said: str) -> None:
    with pytest.raises(TaskError, match=said):
        frozen_network(_package(tmp_path, **manifest))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (torch.nn.Conv2d(1, 1, 3, padding=1), "1 convolutions, where the U-Net to be built has 3"),
        (torch.nn.Sequential(*(torch.nn.Conv2d(1, 1, 1) for _ in range(3))), r"\(1, 1, 1, 1\)"),
    ],
    ids=["too few", "another size"],
)
def test_another_graph_is_refused(tmp_path: Path, network: Any, said: str) -> None:
    with pytest.raises(PackageError, match=said):
        frozen_network(_package(tmp_path, export_onnx(network, stride=4)))
