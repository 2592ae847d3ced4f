"""Frozen networks: a task's network, rebuilt from its package, as part of a training loss."""

from __future__ import annotations

from typing import Literal

from torch import nn

from cytopress.errors import TaskError
from cytopress.models.model_package import Package
from cytopress.training.network import UNet
from cytopress.training.onnx_weights import convolution_weights, load_unet

# Tasks whose network maps a plane standardized by its own mean and deviation to one plane.
FAMILIES = ("labelfree", "labelfree-pix2pix")
ARCHITECTURE = "unet"
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
    layers = convolution_weights(package)
    depth = sum(convolution.transposed for convolution in layers)
    network = FrozenUNet(layers[0].weight.shape[0] if layers else 1, depth)
    load_unet(network, package)
    if layer == "features":
        network.add_module("head", nn.Identity())
    return network


def _check(package: Package) -> None:
    manifest, family = package.manifest, package.name.partition("/")[0]
    if manifest["kind"] != "task" or family not in FAMILIES:
        raise TaskError(
            f"{package.name} is no task that a codec can be trained by; use one of the"
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
