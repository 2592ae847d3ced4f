"""LPIPS, with a backbone of random weights where the true one may not be fetched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cytopress.errors import NotAvailableError
from cytopress.metrics import available, metric
from cytopress.metrics import lpips as module
from cytopress.settings import torch_hub


def test_missing_torch_is_said(monkeypatch: pytest.MonkeyPatch, reference, data_range) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    assert not available("lpips")
    with pytest.raises(NotAvailableError, match="extra 'learn'"):
        metric("lpips")(reference, reference, data_range)


@pytest.mark.learn
def test_missing_weights_are_said_and_not_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reference, data_range
) -> None:
    pytest.importorskip("torchmetrics")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert not available("lpips")
    with pytest.raises(NotAvailableError, match=r"alexnet.*\.pth"):
        metric("lpips")(reference, reference, data_range)
    assert not list(tmp_path.rglob("*.pth"))


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torchvision = pytest.importorskip("torchvision")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(torchvision.models.alexnet(weights=None).state_dict(), folder / module.BACKBONE)
    module._network.cache_clear()


@pytest.mark.learn
@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_as_in_torchmetrics(weights: None, reference, test_image, data_range) -> None:
    import torch
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity

    assert available("lpips")
    darkest = np.percentile(reference, 0.01)
    tensors = [
        torch.from_numpy(
            np.repeat(np.clip((image - darkest) / data_range, 0, 1)[None, None], 3, 1)
        ).float()
        for image in (reference, test_image)
    ]
    expected = learned_perceptual_image_patch_similarity(*tensors, normalize=True)
    lpips = metric("lpips")
    value = lpips(reference, test_image, data_range)
    assert value == pytest.approx(float(expected), rel=1e-3)
    assert value > 0
    assert lpips(reference, reference, data_range) == 0
    stack = lpips(np.stack([reference] * 2), np.stack([reference, test_image]), data_range)
    assert stack == pytest.approx(value / 2, rel=1e-3)
    small = reference[:32, :32]
    assert lpips(small, small, data_range) == 0
    with pytest.raises(NotAvailableError, match="at least 32 pixels"):
        lpips(small[:31], small[:31], data_range)


@pytest.mark.learn
@pytest.mark.parametrize("names", [(), ("TORCH_HOME",), ("XDG_CACHE_HOME",)])
def test_the_folder_of_weights_is_that_of_torch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: tuple[str, ...]
) -> None:
    hub = pytest.importorskip("torch.hub")
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in names:
        monkeypatch.setenv(name, str(tmp_path / name))
    assert torch_hub() == Path(hub.get_dir())


def test_asking_for_lpips_imports_no_torch() -> None:
    code = "import sys; from cytopress.metrics import available; available('lpips');"
    code += " sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
