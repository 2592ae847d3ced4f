"""Small CompressAI networks whose latents are not all zero, without a long training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cytopress.image import Image
from cytopress.models.model_package import Package


def cells(height: int = 64, width: int = 96) -> Image:
    """Return a 12-bit picture of blobs."""
    y, x = np.mgrid[:height, :width]
    light = 400 + 300 * np.sin(x / 7.0) * np.cos(y / 9.0)
    light += 2500 * np.exp(-((y - 30) ** 2 + (x - 50) ** 2) / 60)
    noise = np.random.default_rng(3).normal(0, 20, light.shape)
    return Image(np.rint(light + noise).astype(np.uint16), bits=12, name="cells")


def lively(network: Any, factor: float = 30.0) -> Any:
    """Widen the latents of an untrained network, so that its strings hold something.

    The scales that it predicts grow too: latents beyond their tables would all be escapes.
    """
    import torch

    layers = [layer for layer in network.model.g_a.modules() if isinstance(layer, torch.nn.Conv2d)]
    with torch.no_grad():
        layers[-1].weight.mul_(factor)
        parts = dict(network.model.named_modules())
        for name, part in parts.items():
            if name.split(".")[-1] == "h_a":
                # Hyper-latents stay as small as they were, within their tables.
                part[-1].weight.div_(factor)
        ends = [part for name, part in parts.items() if name.split(".")[-1] == "entropy_parameters"]
        ends = ends or [part for name, part in parts.items() if name.split(".")[-1] == "h_s"]
        for end in ends:
            # Means grow with them, which does no harm.
            layers = [layer for layer in end.modules() if hasattr(layer, "kernel_size")]
            for last in layers[-1:]:
                last.bias.add_(5)
    return network


def network(name: str, seed: int = 0, **options: Any) -> Any:
    import torch

    from cytopress.training.codec.compressai_network import CompressAINetwork

    torch.manual_seed(seed)
    return lively(CompressAINetwork(name, **{"N": 8, "M": 12, **options}))


def package(path: Path, name: str, rates: int = 1, called: str = "learned/test") -> Package:
    from cytopress.training.codec.compressai_network import write_compressai_package

    networks = [network(name, seed) for seed in range(rates)]
    return write_compressai_package(path, networks, {"name": called})
