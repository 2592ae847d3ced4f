"""Fixed-point form of a network for packages of format 2: weights of 16 bits, sums of 32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from cytopress.codecs.learned.exact.gains import LOG_BITS
from cytopress.codecs.learned.exact.numbers import (
    ACTIVATION_BITS,
    FILTER_BITS,
    LATENT_BITS,
    MOST_ACTIVATION,
    NARROW_BITS,
    STEP_BITS,
)
from cytopress.kernels.convolution import MOST_SUM
from cytopress.models.model_package import EXACT_FORMAT
from cytopress.training.codec.context import ContextModel, ContextStep
from cytopress.training.codec.entropy import HyperSynthesis
from cytopress.training.codec.gaussian import STEP
from cytopress.training.codec.hyper_context import HyperContext
from cytopress.training.codec.integer import scale_bias
from cytopress.training.codec.networks import LatentNetwork
from cytopress.training.codec.separable import LatentResidual, SeparableSynthesis

Array = npt.NDArray[Any]
# More bits of fraction than weights can use.
MOST_BITS = 20


def exact_form(network: LatentNetwork) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the manifest's entries and the arrays of a network's integer form."""
    latents = network.log_gain.shape[1]
    form: dict[str, Any] = {"format": EXACT_FORMAT}
    form["synthesis"], arrays = synthesis_arrays(network.g_s)
    form["hyper_synthesis"], own = hyper_layers(network.h_s, latents)
    arrays |= own
    for name in ("context", "hyper_context"):
        part = getattr(network, name)
        if part is not None:
            form[name], own = context_layers(part, name)
            arrays |= own
    log_inverse = _numbers(network.log_inverse) * 2.0**LOG_BITS
    return form, arrays | {"inverse_gain": np.rint(log_inverse).astype(np.int32)}


def layer(weight: Array, bias: Array, bits: tuple[int, int]) -> tuple[int, Array, Array]:
    """Return the shift, the weights and the biases of a convolution.

    With as many bits of fraction as keep every weight in 16 bits and every sum in 32.

    Parameters
    ----------
    weight, bias : ndarray
        (C_out, C_in, k, k) and (C_out,) of floats.
    bits : tuple of int
        Bits of fraction of its input and of its output.
    """
    before, behind = bits
    for fraction in range(MOST_BITS, behind - before - 1, -1):
        whole, shift = np.rint(weight * 2.0**fraction), fraction + before - behind
        offset = np.rint(bias * 2.0 ** (fraction + before))
        sums = np.abs(whole).sum((1, 2, 3)) * MOST_ACTIVATION + np.abs(offset) + 2.0**shift
        if np.abs(whole).max() < 2**15 and sums.max() < MOST_SUM:
            return shift, whole.astype(np.int16), offset.astype(np.int32)
    raise ValueError(f"weights up to {np.abs(weight).max():.3g} have no 16-bit form")


def synthesis_arrays(g_s: SeparableSynthesis) -> tuple[list[int], dict[str, Array]]:
    """Return the shifts of the network's layers, and the arrays ``synthesis.<name>``."""
    shifts: list[int] = []
    arrays: dict[str, Array] = {
        f"synthesis.along_{axis}": np.rint(_numbers(each.weight) * 2.0**FILTER_BITS)
        .astype(np.int16)
        .reshape(g_s.stride, -1)
        for axis, each in (("y", g_s.along_y), ("x", g_s.along_x))
    }
    arrays["synthesis.place"] = g_s.place.numpy().astype(np.int32)
    layers = list(_convolutions(g_s.network))
    for index, (weight, bias) in enumerate(layers):
        behind = LATENT_BITS if index == len(layers) - 1 else ACTIVATION_BITS
        shift, whole, offset = layer(weight, bias, (ACTIVATION_BITS, behind))
        shifts.append(shift)
        arrays |= _named(f"synthesis.{index}", whole, offset)
    return shifts, arrays


def _convolutions(network: nn.Module) -> Iterator[tuple[Array, Array]]:
    """Yield weights and biases; a residual is 1 at the middle of a channel's own kernel."""
    for child in network.children():
        if isinstance(child, LatentResidual):
            weight = _numbers(child.convolution.weight)
            middle, channels = weight.shape[2] // 2, np.arange(len(weight))
            weight[channels, channels, middle, middle] += 1
            yield weight, _bias(child.convolution)
        elif isinstance(child, nn.Conv2d):
            yield _numbers(child.weight), _bias(child)


def hyper_layers(
    h_s: HyperSynthesis, latents: int
) -> tuple[list[dict[str, Any]], dict[str, Array]]:
    """Return the manifest's layers and the arrays ``hs.<i>.weight`` and ``hs.<i>.bias``.

    The last layer gives means, then scale indices, of so many ``latents``, then features. Channels
    before a pixel shuffle are in order of place.
    """
    layers: list[dict[str, Any]] = []
    arrays: dict[str, Array] = {}
    for index, each in enumerate(h_s.layers()):
        weight, bias = _numbers(each.convolution.weight), _bias(each.convolution)
        if not each.relu:
            for values in (weight, bias):
                values[latents : 2 * latents] /= STEP
        order = np.arange(len(weight)).reshape(-1, each.upsample**2).T.ravel()
        shift, whole, offset = layer(weight[order], bias[order], (STEP_BITS, STEP_BITS))
        arrays |= _named(f"hs.{index}", whole, offset)
        layers.append(
            {"index": index, "shift": shift, "relu": each.relu, "upsample": each.upsample}
        )
    return layers, arrays


def context_layers(
    context: ContextModel | HyperContext, name: str
) -> tuple[dict[str, int], dict[str, Array]]:
    """Return the manifest's shifts and the arrays ``<name>.<step>.<layer>.weight``, ``bias``."""
    shifts: dict[str, int] = {}
    arrays: dict[str, Array] = {}
    for step, part in context.named_children():
        if not isinstance(part, ContextStep):
            continue
        for each in ("hidden", "mean", "scale"):
            convolution = part.get_submodule(each)
            factor = 1 / STEP if each == "scale" else 1.0
            before = NARROW_BITS if each == "mean" else STEP_BITS
            weight, bias = _numbers(convolution.weight) * factor, _bias(convolution) * factor
            found = layer(weight, bias, (before, STEP_BITS))
            shifts[f"{step}.{each}"] = found[0]
            arrays |= _named(f"{name}.{step}.{each}", *found[1:])
    if isinstance(context, HyperContext):
        features = np.rint(_numbers(context.features) * 2**STEP_BITS)
        arrays[f"{name}.features"] = features.astype(np.int32)
        arrays[f"{name}.bias"] = scale_bias(context.bias)
    return shifts, arrays


def _named(name: str, weight: Array, bias: Array) -> dict[str, Array]:
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def _numbers(values: Any) -> Array:
    numbers: Array = values.detach().double().numpy().copy()
    return numbers


def _bias(convolution: Any) -> Array:
    if convolution.bias is None:
        return np.zeros(len(convolution.weight))
    return _numbers(convolution.bias)
