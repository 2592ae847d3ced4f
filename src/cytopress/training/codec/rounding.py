"""Rounding in the loop: a network computes as its integer form will.

Weights are rounded to their 16 bits; inputs and outputs of layers to their bits of fraction.
Gradients are those of the identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from cytopress.codecs.learned.exact.numbers import FILTER_BITS, LATENT_BITS, MOST_ACTIVATION
from cytopress.training.codec.fixed_point import IntegerLayer, filters, integer_layers
from cytopress.training.codec.networks import LatentNetwork


def rounded_forward(network: LatentNetwork, *inputs: Any, **options: Any) -> Any:
    """Return what the network gives where everything is rounded as in its integer form.

    In float32: bfloat16 has fewer digits than the integers.
    """
    layers = list(integer_layers(network).values())
    autocast, network.autocast = network.autocast, False
    try:
        with _activations(network, layers):
            return functional_call(network, rounded_weights(network, layers), inputs, options)
    finally:
        network.autocast = autocast


def rounded_weights(network: LatentNetwork, layers: list[IntegerLayer]) -> dict[str, torch.Tensor]:
    """Return the rounded parameters of a network's integer layers, by name."""
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    found: dict[str, torch.Tensor] = {}
    for layer in layers:
        before, behind = layer.bits
        shift, weight, bias = layer.stored()
        step = 2.0 ** -(shift + behind - before)
        factor = 1.0 if layer.factor is None else layer.factor
        exact = (weight * step - layer.identity).T / factor
        whole = {"weight": exact.T, "bias": bias * (step * 2.0**-before) / factor}
        for name, values in whole.items():
            parameter = getattr(layer.convolution, name)
            if parameter is not None:
                target = torch.as_tensor(values, dtype=parameter.dtype, device=parameter.device)
                found[names[id(parameter)]] = parameter + (target - parameter).detach()
    for each in filters(network.g_s).values():
        found[names[id(each.weight)]] = rounded(each.weight, FILTER_BITS)
    return found


def rounded(values: torch.Tensor, bits: int, factor: torch.Tensor | float = 1.0) -> torch.Tensor:
    """Return values times a factor rounded to so many bits of fraction, over it again.

    The gradient is that of the identity.
    """
    scale = factor * 2.0**bits
    return values + (torch.round(values * scale) / scale - values).detach()


@contextmanager
def _activations(network: LatentNetwork, layers: list[IntegerLayer]) -> Iterator[None]:
    """Round the inputs and outputs of layers inside a ``with`` block."""
    with ExitStack() as stack:
        dequantized = network.g_s.register_forward_pre_hook(_input(LATENT_BITS))
        stack.callback(dequantized.remove)
        for layer in layers:
            before, behind = layer.bits
            most = MOST_ACTIVATION * 2.0**-before
            stack.callback(layer.convolution.register_forward_pre_hook(_input(before, most)).remove)
            stack.callback(layer.convolution.register_forward_hook(_output(layer, behind)).remove)
        yield


def _input(bits: int, most: float = torch.inf) -> Any:
    def hook(_: nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (rounded(inputs[0], bits).clamp(-most, most),)

    return hook


def _output(layer: IntegerLayer, bits: int) -> Any:
    def hook(_: nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
        if layer.factor is None:
            return rounded(output, bits)
        factor = torch.as_tensor(layer.factor, dtype=output.dtype, device=output.device)
        return rounded(output, bits, factor[:, None, None])

    return hook
