"""A task's network taken out of its package, to train something else by: it never changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from cytopress.errors import PackageError, TaskError
from cytopress.models.model_package import Package
from cytopress.training.network import UNet

# What reads a plane standardized by its own mean and standard deviation and gives one plane.
FAMILIES = ("labelfree", "labelfree-pix2pix")
ARCHITECTURE = "unet"
Array = npt.NDArray[np.float32]
Layer = Literal["output", "features"]


class FrozenUNet(UNet):
    """A U-Net as it was exported: every batch normalization is part of the convolution before it.

    Gradients pass through it and never reach its weights.
    """

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__(channels, depth)
        for block in (*self.down, *self.up):
            _fold(block)
        self.requires_grad_(requires_grad=False)
        self.eval()

    def train(self, mode: bool = True) -> FrozenUNet:  # noqa: ARG002, FBT001, FBT002
        """Stay as it is, whatever the module around it does."""
        return super().train(mode=False)


def frozen_network(package: Package, layer: Layer = "output") -> FrozenUNet:
    """Rebuild the network of a label-free task from the graph in its package.

    Returns
    -------
    FrozenUNet
        Maps standardized (N, 1, H, W), H and W multiples of its ``stride``, to standardized
        fluorescence of the same shape, as `Package.run` does with the graph ``network``; or, for
        "features", to what the last layer makes that of, (N, channels, H, W).

    Raises
    ------
    TaskError
        The task is of another family, reads no planes, or is no U-Net.
    PackageError
        The graph does not hold the weights of a U-Net.
    """
    _check(package)
    graph = onnx.load_from_string(package.read("network.onnx")).graph
    layers = list(_layers(package.path, graph))
    depth = sum(transposed for transposed, _, _ in layers)
    network = FrozenUNet(layers[0][1].shape[0] if layers else 1, depth)
    own = list(_in_order(network))
    if len(own) != len(layers):
        raise PackageError(
            f"{package.path}: its graph has {len(layers)} convolutions, where a U-Net of {depth}"
            f" halvings has {len(own)}; export it again."
        )
    for part, (_, weight, bias) in zip(own, layers, strict=True):
        if tuple(part.weight.shape) != weight.shape or part.bias is None:
            raise PackageError(
                f"{package.path}: its graph has a convolution of {weight.shape}, where a U-Net has"
                f" one of {tuple(part.weight.shape)}; export it again."
            )
        part.weight.data.copy_(torch.from_numpy(weight))
        part.bias.data.copy_(torch.from_numpy(bias))
    if layer == "features":
        network.add_module("head", nn.Identity())
    return network


def _check(package: Package) -> None:
    manifest, family = package.manifest, package.name.partition("/")[0]
    if manifest["kind"] != "task" or family not in FAMILIES:
        raise TaskError(
            f"{package.name} is no task that a codec can be trained by: it takes one of the"
            f" families {', '.join(FAMILIES)}."
        )
    if manifest["axes"] != "YX" or manifest["architecture"] != ARCHITECTURE:
        raise TaskError(
            f"{package.name} is a {manifest['architecture']} for {manifest['axes']}, where a codec"
            f" for planes is trained by a {ARCHITECTURE} for YX; choose another task."
        )


def _fold(block: nn.Sequential) -> None:
    for place, layer in enumerate(block):
        if isinstance(layer, nn.Conv2d):
            block[place] = nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1)
        elif isinstance(layer, nn.BatchNorm2d):
            block[place] = nn.Identity()


def _in_order(network: UNet) -> Iterator[nn.Conv2d | nn.ConvTranspose2d]:
    """Yield the layers with weights in the order in which a forward pass meets them."""
    parts = [*network.down]
    for enlarge, block in zip(reversed(network.enlarge), reversed(network.up), strict=True):
        parts += [enlarge, block]
    for part in (*parts, network.head):
        for layer in part.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                yield layer


def _layers(path: Path, graph: onnx.GraphProto) -> Iterator[tuple[bool, Array, Array]]:
    """Yield of each convolution whether it is transposed, its weight and its bias."""
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in known:
            # Weights are stored in half, and equal ones once.
            known[node.output[0]] = known[node.input[0]]
        elif node.op_type in ("Conv", "ConvTranspose"):
            if len(node.input) != 3 or not known.keys() >= set(node.input[1:]):
                raise PackageError(
                    f"{path}: its graph has a convolution without stored weights and bias; export"
                    " it again."
                )
            weight, bias = (known[name].astype(np.float32) for name in node.input[1:])
            yield node.op_type == "ConvTranspose", weight, bias
