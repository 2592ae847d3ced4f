"""LPIPS (learned perceptual image patch similarity), if its weights are on this machine."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from cytopress.errors import NotAvailableError
from cytopress.image import Pixels
from cytopress.metrics.metric import Metric
from cytopress.settings import torch_hub

BACKBONE = "alexnet-owt-7be5be79.pth"
SMALLEST = 32


def lpips(reference: Pixels, test: Pixels, data_range: float) -> float:
    """Distance between features of an AlexNet [1]_, 0 for equal images; of a stack, the mean.

    The network reads RGB in [-1, 1]: gray values are repeated three times, and in both images the
    0.01 percentile of the reference becomes -1 and ``data_range`` above it 1, with clipping. The
    network was trained on photographs: values serve to compare codecs on the same images, and mean
    nothing by themselves.

    Raises
    ------
    NotAvailableError
        torch or torchmetrics is not installed, the weights are not on this machine (nothing is
        ever downloaded), or a side is shorter than 32 pixels.

    References
    ----------
    .. [1] R. Zhang et al., "The unreasonable effectiveness of deep features as a perceptual
       metric", CVPR (2018) 586.
    """
    missing = why_not_available()
    if missing:
        raise NotAvailableError(missing)
    if min(reference.shape[-2:]) < SMALLEST:
        raise NotAvailableError(
            f"lpips needs sides of at least {SMALLEST} pixels, not {reference.shape[-2:]}."
        )
    import torch

    darkest = float(np.percentile(reference, 0.01))

    def batch(pixels: Pixels) -> torch.Tensor:
        scaled = (pixels.astype(np.float64) - darkest) / data_range * 2 - 1
        planes = np.clip(scaled, -1, 1).reshape(-1, 1, *pixels.shape[-2:])
        return torch.from_numpy(planes.astype(np.float32)).expand(-1, 3, -1, -1)

    network = _network()
    pairs = zip(batch(reference), batch(test), strict=True)
    with torch.no_grad():
        distances = [float(network(x[None], y[None])) for x, y in pairs]
    return float(np.mean(distances))


def why_not_available() -> str:
    """Return what this machine lacks, as one sentence; empty if nothing."""
    for module in ("torch", "torchmetrics", "torchvision"):
        if importlib.util.find_spec(module) is None:
            return f"lpips needs {module}; install cytopress with the extra 'learn'."
    weights = _weights()
    if not weights.is_file():
        return f"lpips needs AlexNet's weights; put torchvision's {BACKBONE} into {weights.parent}."
    return ""


def _weights() -> Path:
    return torch_hub() / "checkpoints" / BACKBONE


@functools.lru_cache(maxsize=1)
def _network() -> Any:
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

    return LearnedPerceptualImagePatchSimilarity(net_type="alex").net


METRIC = Metric("lpips", "", "lower", lpips)
