"""Computational cost of a network: multiply-adds a pixel, counted on a forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cytopress.training.codec.networks import LatentNetwork
from cytopress.training.codec.secondary_transforms import SecondaryTransforms

SIDE = 256
# For networks that see hundreds of megavoxels at that size.
SMALL_SIDE = 64
LAYERS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)
TRANSPOSED = (nn.ConvTranspose2d, nn.ConvTranspose3d)
PARTS = ("g_a", "h_a", "h_s", "g_s", "context", "below", "hyper_context")


@torch.no_grad()
def multiply_adds(network: LatentNetwork) -> dict[str, float]:
    """Return multiply-adds a pixel: ``encoder`` and ``decoder``, which share h_s and the context.

    Multiplications of convolutions and secondary transforms; activations, gains and entropy coding
    are not counted.
    """
    counted: dict[str, int] = {}
    parts = {name: part for name, part in network.named_children() if name in PARTS}
    halves: set[nn.Module] = set()
    if "context" in parts:
        halves = set(parts["context"].get_submodule("across").modules())
    handles = [
        layer.register_forward_hook(_counter(counted, name, halves))
        for name, part in parts.items()
        for layer in part.modules()
        if isinstance(layer, LAYERS)
    ]
    weight = next(network.parameters())
    quality = torch.zeros(1, device=weight.device)
    # Two slabs, where one is predicted from the other.
    slabs = 1 if network.below is None else 2
    planes = slabs * network.slabs.stride
    side = SIDE if network.slabs.stride <= 4 else SMALL_SIDE
    network(torch.zeros(1, planes, side, side, device=weight.device), quality, hard=True)
    for handle in handles:
        handle.remove()
    each = {name: count / (planes * side**2) for name, count in counted.items()}
    if "below" in each:
        # All slabs but one are predicted.
        each["below"] *= 2
    shared = sum(each.get(name, 0.0) for name in ("h_s", "context", "below", "hyper_context"))
    squares, count = _rotations(network)
    # As if every block were transformed once, and an encoder tried every transform.
    back = squares / (network.stride**2 * network.slabs.stride)
    return {
        "encoder": round(each["g_a"] + each.get("h_a", 0.0) + shared + (count + 1) * back, 1),
        "decoder": round(each["g_s"] + shared + back, 1),
    }


def _rotations(network: LatentNetwork) -> tuple[int, int]:
    """Return multiply-adds of one secondary transform of a block, and the number of transforms."""
    if network.architecture != "context" or network.context.turned is None:
        return 0, 0
    parts = [part for part in network.context.turned if isinstance(part, SecondaryTransforms)]
    return sum(part.channels**2 for part in parts), parts[0].count


def _counter(counted: dict[str, int], name: str, halves: set[nn.Module]) -> Any:
    def hook(layer: Any, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        # A transposed convolution is counted by its inputs, any other by its outputs.
        places = inputs[0] if isinstance(layer, TRANSPOSED) else output
        pixels = places[:, 0].numel()
        # A package computes the first step of the context on the black squares alone.
        share = 2 if layer in halves else 1
        counted[name] = counted.get(name, 0) + layer.weight.numel() * pixels // share

    return hook
