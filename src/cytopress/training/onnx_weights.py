"""Weights of an exported ONNX graph, and a U-Net with the weights of one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper

from cytopress.errors import PackageError
from cytopress.models.model_package import Package
from cytopress.training.network import Norm, UNet
from cytopress.training.onnx_export import HALVED

Array = npt.NDArray[Any]


class ConvolutionWeights(NamedTuple):
    """A convolution of a graph: whether it is transposed, and its float32 weight and bias."""

    transposed: bool
    weight: Array
    bias: Array


def named_weights(graph: bytes) -> dict[str, Array]:
    """Return the weights of an exported graph, under the names of the network's parameters.

    Only of networks without batch normalization: it is folded into convolutions, which lose their
    names by it; see `convolution_weights`.
    """
    return {
        tensor.name.removesuffix(HALVED): numpy_helper.to_array(tensor)
        for tensor in onnx.load_from_string(graph).graph.initializer
    }


def convolution_weights(package: Package) -> list[ConvolutionWeights]:
    """Return the convolutions of a package's graph ``network``, in the order of computation.

    Raises
    ------
    PackageError
        A convolution has no stored weights or bias.
    """
    graph = onnx.load_from_string(package.read("network.onnx")).graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = []
    for node in graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in known:
            # Weights are stored in half, and equal ones once.
            known[node.output[0]] = known[node.input[0]]
        elif node.op_type in ("Conv", "ConvTranspose"):
            if len(node.input) != 3 or not known.keys() >= set(node.input[1:]):
                raise PackageError(
                    f"{package.path}: its graph has a convolution without stored weights and bias;"
                    " export it again."
                )
            weight, bias = (known[name].astype(np.float32) for name in node.input[1:])
            found.append(ConvolutionWeights(node.op_type == "ConvTranspose", weight, bias))
    return found


def load_unet(network: UNet, package: Package) -> None:
    """Give a U-Net the weights of a package's graph ``network``.

    The exporter folds each batch norm into the convolution before it. The weights go into the
    convolution and the bias into the norm, which is left to change nothing else: in evaluation the
    network is the graph's function. Where a network has no norms, the bias goes into the
    convolution.

    Raises
    ------
    PackageError
        The graph is of another network or size.
    """
    layers, held = network.convolutions(), convolution_weights(package)
    own = [tuple(convolution.weight.shape) for convolution, _ in layers]
    found = [weights.weight.shape for weights in held]
    if own != found:
        raise PackageError(f"{package.path}: {_difference(own, found)}")
    with torch.no_grad():
        for (convolution, norm), (_, weight, bias) in zip(layers, held, strict=True):
            convolution.weight.copy_(torch.from_numpy(weight))
            if norm is not None:
                _leave_to_shift(norm, torch.from_numpy(bias))
            else:
                assert convolution.bias is not None
                convolution.bias.copy_(torch.from_numpy(bias))


def _difference(own: list[Any], found: list[Any]) -> str:
    if len(own) != len(found):
        what = f"{len(found)} convolutions, where the U-Net to be built has {len(own)}"
    else:
        held, wanted = next(pair for pair in zip(found, own, strict=True) if pair[0] != pair[1])
        what = f"a convolution of {held}, where the U-Net to be built has one of {wanted}"
    return f"its graph has {what}; give both the same channels and depth, or use another package."


def _leave_to_shift(norm: Norm, bias: torch.Tensor) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0)
    norm.weight.fill_((1.0 + norm.eps) ** 0.5)
    norm.bias.copy_(bias)
