"""Fixed-point form of a network for packages of format 2: weights of 16 bits, sums of 32."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cytopress.codecs.learned.exact.gains import LOG_BITS
from cytopress.codecs.learned.exact.integer_layers import integer_layer, with_identity
from cytopress.codecs.learned.exact.numbers import (
    ACTIVATION_BITS,
    FILTER_BITS,
    LATENT_BITS,
    NARROW_BITS,
    STEP_BITS,
)
from cytopress.codecs.learned.model.manifest import STEP_LAYERS
from cytopress.models.model_package import EXACT_FORMAT
from cytopress.training.codec.context import ContextStep
from cytopress.training.codec.gaussian import STEP
from cytopress.training.codec.integer import scale_bias
from cytopress.training.codec.networks import LatentNetwork
from cytopress.training.codec.separable import LatentResidual, SeparableSynthesis
from cytopress.training.codec.separable_slabs import SlabSynthesis

Array = npt.NDArray[Any]
# Syntheses that have an integer form.
Transform = SeparableSynthesis | SlabSynthesis


@dataclass(frozen=True, eq=False)
class IntegerLayer:
    """A convolution, and what its integer form is of.

    Parameters
    ----------
    convolution : Conv2d
        In float.
    bits : tuple of int
        Bits of fraction of its input and of its output.
    factor : ndarray, optional
        (C_out,) of what its output is multiplied by; 1 unless given.
    residual : bool, optional
        Whether its input is added to its output: then 1 is added to the middle of each channel's
        own kernel.
    """

    convolution: nn.Conv2d
    bits: tuple[int, int]
    factor: Array | None = None
    residual: bool = False

    @property
    def identity(self) -> Array:
        """What is added to the weights."""
        nothing = np.zeros(self.convolution.weight.shape)
        return with_identity(nothing) if self.residual else nothing

    def stored(self) -> tuple[int, Array, Array]:
        """Return the shift, the weights and the biases.

        With as many bits of fraction as keep every weight in 16 bits and every sum in 32.
        """
        weight, bias = _numbers(self.convolution.weight), np.zeros(self.convolution.out_channels)
        if self.convolution.bias is not None:
            bias = _numbers(self.convolution.bias)
        factor = np.ones(len(weight)) if self.factor is None else self.factor
        weight, bias = weight * factor[:, None, None, None] + self.identity, bias * factor
        return integer_layer(weight, bias, self.bits)


def integer_layers(network: LatentNetwork) -> dict[str, IntegerLayer]:
    """Return the layers that a decoder computes in integers, by their names in a package."""
    latents = network.log_gain.shape[1]
    found = _synthesis_layers(network.g_s)
    for index, each in enumerate(network.h_s.layers()):
        factor = None
        if not each.relu:
            # Means, then scale indices, then features.
            factor = np.ones(each.convolution.out_channels)
            factor[latents : 2 * latents] /= STEP
        found[f"hs.{index}"] = IntegerLayer(each.convolution, (STEP_BITS, STEP_BITS), factor)
    for name in ("context", "hyper_context"):
        for step, part in _steps(getattr(network, name)):
            found |= _step_layers(part, f"{name}.{step}")
    return found if network.below is None else found | _step_layers(network.below, "below")


def _step_layers(step: ContextStep, name: str) -> dict[str, IntegerLayer]:
    layers: dict[str, IntegerLayer] = {}
    for each in STEP_LAYERS:
        convolution = cast(nn.Conv2d, step.get_submodule(each))
        scale = np.full(convolution.out_channels, 1 / STEP) if each == "scale" else None
        before = NARROW_BITS if each == "mean" else STEP_BITS
        layers[f"{name}.{each}"] = IntegerLayer(convolution, (before, STEP_BITS), scale)
    return layers


def _synthesis_layers(g_s: Transform) -> dict[str, IntegerLayer]:
    layers = []
    for child in g_s.network.children():
        residual = isinstance(child, LatentResidual)
        convolution = child.convolution if isinstance(child, LatentResidual) else child
        if isinstance(convolution, nn.Conv2d):
            bits = ACTIVATION_BITS, ACTIVATION_BITS
            layers.append(IntegerLayer(convolution, bits, residual=residual))
    # The last one gives latents.
    layers[-1] = replace(layers[-1], bits=(ACTIVATION_BITS, LATENT_BITS))
    return {f"synthesis.{index}": layer for index, layer in enumerate(layers)}


def _steps(context: nn.Module | None) -> list[tuple[str, ContextStep]]:
    parts = [] if context is None else context.named_children()
    return [(name, part) for name, part in parts if isinstance(part, ContextStep)]


def exact_form(network: LatentNetwork) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the manifest's entries and the arrays of a network's integer form."""
    stored = {name: layer.stored() for name, layer in integer_layers(network).items()}
    shifts = {name: shift for name, (shift, _, _) in stored.items()}
    hyper = [
        {"index": index, "shift": shifts[f"hs.{index}"], **form}
        for index, form in enumerate(
            {"relu": each.relu, "upsample": each.upsample} for each in network.h_s.layers()
        )
    ]
    for entry in hyper:
        # Channels before a pixel shuffle are in order of place.
        shift, weight, bias = stored[f"hs.{entry['index']}"]
        order = np.arange(len(weight)).reshape(-1, entry["upsample"] ** 2).T.ravel()
        stored[f"hs.{entry['index']}"] = shift, weight[order], bias[order]
    arrays = _filters(network.g_s)
    for name, (_, weight, bias) in stored.items():
        arrays |= {f"{name}.weight": weight, f"{name}.bias": bias}
    log_inverse = _numbers(network.log_inverse) * 2.0**LOG_BITS
    arrays["inverse_gain"] = np.rint(log_inverse).astype(np.int32)
    form: dict[str, Any] = {
        "format": EXACT_FORMAT,
        "synthesis": _of(shifts, "synthesis."),
        "hyper_synthesis": hyper,
        "context": _of(shifts, "context."),
    }
    form["synthesis"] = list(form["synthesis"].values())
    if network.hyper_context is not None:
        form["hyper_context"] = _of(shifts, "hyper_context.")
        features = np.rint(_numbers(network.hyper_context.features) * 2**STEP_BITS)
        arrays["hyper_context.features"] = features.astype(np.int32)
        arrays["hyper_context.bias"] = scale_bias(network.hyper_context.bias)
    if network.below is not None:
        form["below"] = _of(shifts, "below.")
    return form, arrays


def _of(shifts: dict[str, int], prefix: str) -> dict[str, int]:
    return {n.removeprefix(prefix): shift for n, shift in shifts.items() if n.startswith(prefix)}


def filters(g_s: Transform) -> dict[str, Any]:
    """Return the linear parts of a synthesis, by axis."""
    found: dict[str, Any] = {"y": g_s.along_y, "x": g_s.along_x}
    return found | ({"z": g_s.along_z} if isinstance(g_s, SlabSynthesis) else {})


def _filters(g_s: Transform) -> dict[str, Array]:
    """Return the arrays of the linear parts."""
    arrays: dict[str, Array] = {
        "synthesis.place": torch.as_tensor(g_s.place).cpu().numpy().astype(np.int32)
    }
    for axis, each in filters(g_s).items():
        whole = np.rint(_numbers(each.weight) * 2.0**FILTER_BITS)
        shaped = whole.reshape(len(whole), -1)
        arrays[f"synthesis.along_{axis}"] = shaped.astype(np.int16)
    return arrays


def _numbers(values: Any) -> Array:
    numbers: Array = values.detach().cpu().double().numpy()
    return numbers
