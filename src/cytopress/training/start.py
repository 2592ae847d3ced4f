"""A network that begins as the one in a package: its weights read back from the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch

from cytopress.errors import PackageError
from cytopress.models.model_package import Package
from cytopress.training.network import Norm, UNet
from cytopress.training.onnx_export import stored_weights

Weights = npt.NDArray[Any]


def start_from(network: UNet, package: Package) -> None:
    """Give a U-Net the weights of a package's graph ``network``.

    The exporter folds each batch norm into the convolution before it. The weights go into the
    convolution, the bias into the norm, which is left to change nothing else: in evaluation the
    network is the graph's function.

    Raises
    ------
    PackageError
        The graph is of another network or size.
    """
    layers, held = network.convolutions(), _convolutions(package.read("network.onnx"))
    own = [tuple(convolution.weight.shape) for convolution, _ in layers]
    found = [weight.shape for weight, _ in held]
    if own != found:
        raise PackageError(
            f"{package.path} holds a network of another form or size than the one to be trained;"
            " give both the same channels and depth, or start from another package."
        )
    with torch.no_grad():
        for (convolution, norm), (weight, bias) in zip(layers, held, strict=True):
            convolution.weight.copy_(torch.from_numpy(weight))
            if norm is None:
                assert convolution.bias is not None
                convolution.bias.copy_(torch.from_numpy(bias))
            else:
                _leave_to_shift(norm, torch.from_numpy(bias))


def _leave_to_shift(norm: Norm, bias: torch.Tensor) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0)
    norm.weight.fill_((1.0 + norm.eps) ** 0.5)
    norm.bias.copy_(bias)


def _convolutions(graph: bytes) -> Sequence[tuple[Weights, Weights]]:
    """Return weights and bias of each convolution of a graph, in the order of computation."""
    stored = stored_weights(graph)
    pairs = []
    for node in onnx.load_from_string(graph).graph.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            weight, bias = (stored[name].astype(np.float32) for name in node.input[1:3])
            pairs.append((weight, bias))
    return pairs
