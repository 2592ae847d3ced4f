"""What a task loses, against onnxruntime and numpy; contrast that the task itself would hide."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytopress.errors import TaskError, UnknownNameError
from cytopress.models.model_package import Package, write_package
from cytopress.settings import Settings

torch = pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("onnx", reason="needs onnx (extra learn)")
pytestmark = pytest.mark.learn

from cytopress.training.codec.config import Augmentation, CodecTraining  # noqa: E402
from cytopress.training.codec.crops import Batch, CropBatches  # noqa: E402
from cytopress.training.codec.sources import Plane, Source  # noqa: E402
from cytopress.training.codec.task_distortion import TaskDistortion, task_package  # noqa: E402
from cytopress.training.network import UNet  # noqa: E402
from cytopress.training.onnx_export import export_onnx  # noqa: E402

CROP = 64
JITTER = Augmentation(symmetry=False, gain=0.4, offset=0.3)


def _config(task: Mapping[str, Any]) -> CodecTraining:
    return CodecTraining.model_validate(
        {
            "kind": "codec",
            "name": "learned/a",
            "network": {"architecture": "mean-scale"},
            "rate": {"lambdas": [0.1]},
            "task": {"name": "labelfree/a", **task},
            "fit": {"steps": 1, "crop": CROP},
            "sources": [{"dataset": "a"}],
        }
    )


def _package(folder: Path, depth: int = 2) -> Package:
    torch.manual_seed(1)
    manifest = {"kind": "task", "name": "labelfree/a", "architecture": "unet", "axes": "YX"}
    graph = export_onnx(UNet(2, depth), stride=2**depth)
    return write_package(folder / "a.cytomodel", manifest, graphs={"network": graph})


def _planes() -> list[Plane]:
    source = Source("made", "Made", "CC0-1.0", "a test", 1.0)
    counts = [np.random.default_rng(n).gamma(2 + n, 90, (80, 90)) for n in range(2)]
    limits = [np.percentile(each, (0.1, 99.9)) for each in counts]
    return [
        Plane(
            ((each - low) / (high - low)).astype(np.float32),
            float(low),
            float(high),
            900.0,
            None,
            str(number),
            "a",
            "input",
            source,
        )
        for number, (each, (low, high)) in enumerate(zip(counts, limits, strict=True))
    ]


def _made(folder: Path, **task: Any) -> tuple[TaskDistortion, Package, list[Plane], Batch]:
    package, planes = _package(folder), _planes()
    batch = CropBatches(planes, JITTER, crop=CROP, batch=6, seed=1)[0]
    return TaskDistortion(_config(task), package, planes), package, planes, batch


def _by_hand(package: Package, planes: list[Plane], batch: Batch, x: Any) -> Any:
    """Undo the jitter in counts, standardize by the whole plane in counts, run the graph."""
    made = []
    for index, number in enumerate(batch.plane.tolist()):
        plane = planes[number]
        whole = plane.low + (plane.high - plane.low) * plane.pixels.astype(float)
        crop = float(batch.low[index]) + float(batch.scale[index]) * x[index].astype(float)
        made.append((crop - whole.mean()) / whole.std())
    (layer,) = package.run("network", np.array(made, np.float32), threads=1)
    return layer


def test_share_of_the_variance_that_is_lost(tmp_path: Path) -> None:
    task, package, planes, batch = _made(tmp_path)
    assert set(batch.plane.tolist()) == {0, 1}
    task.measure([batch])
    x = batch.pixels
    x_hat = x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    wanted, found = (_by_hand(package, planes, batch, each.numpy()) for each in (x, x_hat))
    expected = ((found - wanted) ** 2).mean((1, 2, 3)) / wanted.var()
    lost = task.lost(x, x_hat, batch)
    assert lost.shape == (6,)
    np.testing.assert_allclose(lost.numpy(), expected, rtol=2e-3)
    assert float(task.lost(x, x, batch).abs().max()) == 0


@pytest.mark.parametrize("layer", ["output", "features"])
def test_a_step_down_its_gradient_loses_less(tmp_path: Path, layer: str) -> None:
    task, _, _, batch = _made(tmp_path, layer=layer)
    task.measure([batch])
    x = batch.pixels
    x_hat = (x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))).detach()
    x_hat.requires_grad_()
    lost = task.lost(x, x_hat, batch).mean()
    lost.backward()
    before, grad = lost.detach(), x_hat.grad
    with torch.no_grad():
        after = task.lost(x, x_hat - 0.1 * before / grad.square().sum() * grad, batch).mean()
    assert 0 < float(after) < 0.97 * float(before)


def test_contrast_counts_though_the_task_would_not_see_it(tmp_path: Path) -> None:
    task, _, _, batch = _made(tmp_path)
    middle = batch.pixels.mean((1, 2, 3), keepdim=True)
    flatter = middle + 0.7 * (batch.pixels - middle)
    assert float(task.lost(batch.pixels, flatter, batch).min()) > 0


def test_a_training_without_a_task_needs_none(tmp_path: Path) -> None:
    settings = Settings(None, (tmp_path,), tmp_path, tmp_path)
    config = _config({})
    assert task_package(config.model_copy(update={"task": None}), settings) is None
    with pytest.raises(UnknownNameError, match="no task package named 'labelfree/a'"):
        task_package(config, settings)
    assert task_package(config, settings.with_models(_package(tmp_path).path.parent)) is not None


def test_a_stride_that_does_not_divide_the_crop(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="reads multiples of 128 pixels, not crops of 64"):
        TaskDistortion(_config({}), _package(tmp_path, depth=7), _planes())
