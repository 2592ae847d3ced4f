"""Export of a trained codec as a model package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import nn

from cytopress.codecs.learned.latents.secondary_transforms import PARTS
from cytopress.models.model_package import Package, write_package
from cytopress.training.codec.cost import multiply_adds
from cytopress.training.codec.fixed_point import exact_form
from cytopress.training.codec.integer import (
    background_tables,
    context_layers,
    hyper_context_layers,
    integer_layers,
    prefixed,
    prior_tables,
    scale_bias,
    scale_tables,
    step_layers,
    transform_arrays,
)
from cytopress.training.codec.networks import LatentNetwork
from cytopress.training.codec.secondary_transforms import SecondaryTransforms
from cytopress.training.codec.separable import SeparableSynthesis
from cytopress.training.codec.separable_slabs import SlabSynthesis
from cytopress.training.onnx_export import export_onnx, halved

Array = npt.NDArray[Any]
GRAPHS = {"analysis": "g_a", "synthesis": "g_s", "hyper_analysis": "h_a"}
STATE = "state."


class _Named(nn.Module):
    """Keeps a part's parameters under the names that they have in the whole network."""

    def __init__(self, name: str, part: nn.Module) -> None:
        super().__init__()
        self.add_module(name, part)
        self._part = name

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return getattr(self, self._part)(x)  # type: ignore[no-any-return]


def write_codec_package(
    path: Path,
    networks: Sequence[LatentNetwork],
    manifest: Mapping[str, Any],
    *,
    exact: bool | None = None,
) -> Package:
    """Write one package of one network a rate, or of one network with gains.

    Parameters
    ----------
    path : Path
        The file.
    networks : sequence of LatentNetwork
        On the processor, in the order of their rates.
    manifest : mapping
        Entries besides the form: ``name``, ``training``, ``results`` and so on.
    exact : bool, optional
        Whether its synthesis is in integers, so that the pixels are the same on every machine; if
        it can be, unless given.
    """
    graphs: dict[str, bytes] = {}
    arrays: dict[str, Array] = {}
    form: dict[str, Any] = {}
    for index, network in enumerate(networks):
        prefix = f"r{index}/"
        # A package of several rates has no integer form.
        possible = len(networks) == 1 and has_integer_form(network)
        wanted = possible if exact is None else exact
        found, plain, form = _export(network.eval(), exact=wanted)
        graphs |= {prefix + name: graph for name, graph in found.items()}
        arrays |= {prefix + name: array for name, array in plain.items()}
    mesh = networks[0].mesh
    if mesh is not None:
        arrays |= prefixed("surface", background_tables())
        form["surface"] = asdict(mesh)
    axes = "ZYX" if networks[0].volumes else "YX"
    whole = {"kind": "codec", "axes": axes, "rates": len(networks), **form, **manifest}
    return write_package(path, whole, graphs=graphs, arrays=arrays)


def has_integer_form(network: LatentNetwork) -> bool:
    """Return whether a network has an integer form from symbols to pixels."""
    return network.architecture == "context" and isinstance(
        network.g_s, SeparableSynthesis | SlabSynthesis
    )


@torch.no_grad()
def _export(
    network: LatentNetwork, *, exact: bool
) -> tuple[dict[str, bytes], dict[str, Array], dict[str, Any]]:
    network.autocast = False
    latents, stride, slabs = network.log_gain.shape[1], network.stride, network.slabs
    channels = {
        "analysis": slabs.window,
        "synthesis": slabs.stack * latents,
        "hyper_analysis": latents,
    }
    parts = {name: part for name, part in GRAPHS.items() if hasattr(network, part)}
    if exact:
        del parts["synthesis"]
    graphs = {
        name: export_onnx(
            _Named(part, getattr(network, part)),
            stride=stride if name == "analysis" else 4,
            channels=channels[name],
        )
        for name, part in parts.items()
    }
    several = len(network.lambdas) > 1
    arrays = {
        "gain": network.log_gain.numpy(),
        "inverse_gain": network.log_inverse.numpy(),
        **prefixed("prior", prior_tables(network.prior)),
    }
    own, integers = exact_form(network) if exact else _integer_form(network)
    arrays |= integers
    if network.architecture != "factorized":
        arrays |= prefixed("scale", scale_tables())
        arrays["scale_bias"] = scale_bias(network.log_scale)
    if network.architecture == "context" and network.context.turned is not None:
        own["rotations"] = network.context.turned[0].count
        for part, transforms in zip(PARTS, network.context.turned, strict=True):
            assert isinstance(transforms, SecondaryTransforms)
            arrays |= transform_arrays(transforms, f"rotations.{part}")
    if network.volumes:
        own["depth"] = asdict(slabs)
    arrays |= {
        STATE + name: halved(value.numpy())
        for name, value in network.state_dict().items()
        if name.partition(".")[0] not in parts.values() and value.is_floating_point()
    }
    form = {
        "architecture": network.architecture,
        "gains": len(network.lambdas) if several else 0,
        "stride": stride,
        "hyper_stride": network.pad,
        **own,
        "latent_channels": latents,
        "hyper_channels": network.prior.channels,
        "reach": {"analysis": reach(network.g_a), "synthesis": reach(network.g_s)},
        "multiply_adds": multiply_adds(network),
        "parameters": sum(weight.numel() for weight in network.main_parameters()),
    }
    return graphs, arrays, form


def _integer_form(network: LatentNetwork) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the manifest's entries and the arrays of the entropy model's integer form."""
    latents = network.log_gain.shape[1]
    form: dict[str, Any] = {"hyper_synthesis": [], "context": {}}
    arrays: dict[str, Array] = {}
    if network.architecture != "factorized":
        means = 0 if network.architecture == "hyperprior" else latents
        form["hyper_synthesis"], integers = integer_layers(network.h_s, means, latents)
        arrays |= integers
    if network.architecture == "context":
        form["context"], integers = context_layers(network.context, "context")
        arrays |= integers
    if network.hyper_context is not None:
        form["hyper_context"], integers = hyper_context_layers(network.hyper_context)
        arrays |= integers
    if network.below is not None:
        form["below"], integers = step_layers(network.below, "below")
        arrays |= integers
    return form, arrays


@torch.no_grad()
def reach(transform: nn.Module) -> int:
    """Return how many pixels away an output may depend on an input, by convolution arithmetic.

    An upper bound: the reach of every layer is added, whichever branch it lies on. A ``reach`` that
    a transform has is used instead.
    """
    known = getattr(transform, "reach", None)
    if isinstance(known, int):
        return known
    layers = [
        layer
        for layer in transform.modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.PixelShuffle | nn.PixelUnshuffle)
    ]
    total, pixel = 0, 1
    if isinstance(layers[0], nn.ConvTranspose2d):
        pixel = layers[0].stride[0]
        total, layers = pixel, layers[1:]
    for layer in layers:
        if isinstance(layer, nn.PixelUnshuffle):
            pixel *= layer.downscale_factor
        elif isinstance(layer, nn.PixelShuffle):
            pixel //= layer.upscale_factor
        elif layer.kernel_size[0] >= 2 * layer.stride[0] > 2:
            total = max(total, layer.stride[0])
        else:
            total += (layer.kernel_size[0] - layer.stride[0] + 1) // 2 * pixel
            pixel *= layer.stride[0]
    return total
