"""Small networks of ours that are not trained, yet code an image at every rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

ARCHITECTURES = ("factorized", "hyperprior", "mean-scale", "context")


def network(architecture: str = "mean-scale", *, lambdas: Sequence[float] = (), **options: Any):  # type: ignore[no-untyped-def]
    """Return a network with three gain nodes, or of one lambda.

    Its weights are drawn wide enough that means, scales and tables differ from place to place and
    from channel to channel.
    """
    import torch

    from cytopress.training.codec.config import Rate
    from cytopress.training.codec.network_options import Network
    from cytopress.training.codec.networks import build

    form: dict[str, Any] = {
        "latent_channels": 6,
        "hyper_channels": 5,
        "hyper_width": 4,
        # One architecture has it, so that the others are tested without.
        "hyper_context": 3 if architecture == "context" else 0,
        "rotations": 2 if architecture == "context" and "depth" not in options else 0,
        "context_channels": 2,
        "context_width": 3,
        "analysis": (4, 4),
        "synthesis": (4, 4),
        **options,
    }
    rate = Rate(lambdas=tuple(lambdas)) if lambdas else Rate(gains=3, lambda_range=(0.001, 0.1))
    torch.manual_seed(1)
    made = build(Network(architecture=architecture, **form), rate)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if name.startswith(("h_s", "h_a")):
                weight.mul_(3)
            elif name.startswith(("context", "hyper_context", "below")):
                # They begin as nothing.
                share = 0.05 if name.startswith("below") else 0.2
                weight.add_(share * torch.randn_like(weight))
            elif name.startswith(("log_gain", "prior")) and not name.endswith("quantiles"):
                weight.add_(0.3 * torch.randn_like(weight))
        made.log_inverse.copy_(-made.log_gain + 0.01 * torch.randn_like(made.log_gain))
        made.begin(torch.from_numpy(volume(made.slabs.stride, 128, 128))[None])
    return made.eval()


def separable_network(**options: Any):  # type: ignore[no-untyped-def]
    """Return an untrained network of the separable transform, which has an integer form."""
    import torch

    form: dict[str, Any] = {
        "transform": "separable",
        "latent_channels": 64,
        "context_channels": 16,
        "context_width": 6,
        "hyper_width": 6,
        "synthesis": (8, 8),
        **options,
    }
    made = network("context", **form)
    with torch.no_grad():
        for weight in made.g_s.network.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
        for weight in (made.g_s.along_y.weight, made.g_s.along_x.weight):
            weight.add_(0.01 * torch.randn_like(weight))
    return made.eval()


def volume(planes: int, height: int, width: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return a stack like `field`, whose planes resemble their neighbors; one plane is a field."""
    if planes == 1:
        return field(height, width, seed)[None]
    random = np.random.default_rng(seed)
    stack = ndimage.gaussian_filter(random.normal(size=(planes, height, width)), (2, 5, 5))
    stack = stack / stack.std() + 0.1 * random.normal(size=stack.shape)
    low, high = np.percentile(stack, (0.1, 99.9))
    return ((stack - low) / (high - low)).astype(np.float32)


def field(height: int, width: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return a smooth plane with noise, its 0.1 and 99.9 percentile at 0 and 1."""
    random = np.random.default_rng(seed)
    plane = ndimage.gaussian_filter(random.normal(size=(height, width)), 5, mode="wrap")
    plane = plane / plane.std() + 0.1 * random.normal(size=plane.shape)
    low, high = np.percentile(plane, (0.1, 99.9))
    return ((plane - low) / (high - low)).astype(np.float32)
