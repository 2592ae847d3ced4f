"""Initial networks of a training: random by its seed, or with the weights of a package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from cytopress.errors import PackageError, UsageError
from cytopress.models.model_package import Package
from cytopress.models.search import find_package
from cytopress.settings import Settings
from cytopress.training.codec.compressai_network import CompressAINetwork
from cytopress.training.codec.config import CodecTraining
from cytopress.training.codec.export import STATE
from cytopress.training.codec.networks import build
from cytopress.training.onnx_weights import named_weights
from cytopress.training.precision import computed_in

# Weights of the last layer of the hyper analysis, and of the first layer of the hyper synthesis.
HYPER_OUT = ("h_a.layers.4.weight", "h_a.layers.4.bias")
HYPER_IN = "h_s.first.weight"
# The networks beside the linear transforms: their widths may grow.
WIDE = ("g_a.network.", "g_s.network.")
# Parts that a package may lack: initialized to add nothing, or optional for an encoder.
NEW = ("hyper_context.", "context.turned.")
# A channel whose gain is this many octaves below its profile was switched off.
OFF = 0.25


def begin(config: CodecTraining, settings: Settings) -> list[nn.Module]:
    """Return the networks of a training, one a lambda, or one with gains.

    With ``init``, each starts from the network of its place in the package, or from the last.
    Gains that were free in the package become the nearest products of rate and channel. Wider
    transforms start as the package's narrower ones. Of more hyper-latents than are wanted, those of
    the largest spread are kept. A hyper context model that the package lacks is initialized to add
    nothing, and secondary transforms at random: an encoder need not choose them.

    Raises
    ------
    UsageError
        CompressAI's model has another number of gains.
    UnknownNameError
        There is no package of the name of ``init``.
    PackageError
        That package holds another network's weights, or none to start from.
    """
    package = None
    if config.init is not None:
        package = find_package(settings.model_folders, "codec", config.init)
    networks = []
    bfloat16 = computed_in(config.fit.precision) == "bfloat16"
    for index in range(config.rate.networks):
        # Initial weights depend on the config alone, whatever was drawn before.
        torch.manual_seed(config.seed)
        network: Any = build(config.network, config.rate.alone(index))
        network.autocast = bfloat16
        if isinstance(network, CompressAINetwork):
            _check_gains(network, config)
        else:
            network.rdo = config.loss.rdo
        if package is not None:
            _load(network, package, index)
        networks.append(network)
    return networks


def _check_gains(network: CompressAINetwork, config: CodecTraining) -> None:
    if network.gains != config.rate.gains:
        raise UsageError(
            f"{config.network.architecture} has {network.gains} gains, not {config.rate.gains};"
            f" set gains = {network.gains}."
        )


def _load(network: Any, package: Package, index: int) -> None:
    index = min(index, int(package.manifest.get("rates", 1)) - 1)
    if isinstance(network, CompressAINetwork):
        network.load_package(package, index)
        return
    state = load_state(package, index)
    if "log_gain" in state:
        state = _with_one_profile(state)
    own, held = network.state_dict(), package.manifest["architecture"]
    if held == network.architecture != "factorized":
        state = _with_hyper_latents(state, network.prior.channels, network.prior.nodes)
        new = {name: own[name] for name in own if name.startswith(NEW)}
        state = new | state
    missing = dict(network.named_parameters()).keys() - state.keys()
    more = state.keys() - own.keys()
    if held != network.architecture or missing or more:
        differs = f"{held}, not {network.architecture}"
        if held == network.architecture:
            differs = f"it has {min(more)}" if more else f"it lacks {min(missing)}"
        raise PackageError(
            f"{package.path} holds a network of another form ({differs}) than the one to be"
            " trained; start from another package."
        )
    for name, weight in state.items():
        if name.startswith(WIDE):
            state[name] = _widened(weight, own[name])
        if state[name].shape != own[name].shape:
            raise PackageError(
                f"{package.path} holds a network of another size than the one to be trained:"
                f" {name} is {tuple(weight.shape)}, where {tuple(own[name].shape)} is needed;"
                " start from another package, or give the network, stride and gains of this one."
            )
    network.load_state_dict(state, strict=False)


def load_state(package: Package, index: int = 0) -> dict[str, torch.Tensor]:
    """Return the weights of one network of a package, by the names of its parameters.

    Buffers that are computed from them, such as tables, are not included.

    Raises
    ------
    PackageError
        The package was not made for the torch-free runtime.
    """
    if package.manifest.get("hyper_synthesis") is None:
        raise PackageError(f"{package.path}: this package holds no weights to start from.")
    prefix = f"r{index}/"
    state = {}
    for name in package.names():
        if name.startswith(prefix + STATE) and name.endswith(".npy"):
            key = name.removesuffix(".npy")
            value = package.array(key).astype(np.float32)
            state[key.removeprefix(prefix + STATE)] = torch.from_numpy(value)
        elif name.startswith(prefix) and name.endswith(".onnx"):
            for key, value in named_weights(package.read(name)).items():
                state[key] = torch.from_numpy(value.astype(np.float32))
    return state


def _widened(weight: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """Return weights of a wider layer whose first channels are those of a narrower one.

    Their weights for the new channels are 0, and the new channels start as in ``own``, so the
    network is the same function as before: Chen, Goodfellow and Shlens, "Net2Net: Accelerating
    learning via knowledge transfer", ICLR 2016, with zeros instead of copies.

    Parameters
    ----------
    weight : Tensor
        (outputs, inputs, k, k) of a convolution, or (outputs,).
    own : Tensor
        The same of the wider layer. If it is narrower in any way, ``weight`` is returned.
    """
    if weight.ndim != own.ndim or any(n > m for n, m in zip(weight.shape, own.shape, strict=True)):
        return weight
    wide = own.clone()
    held = wide[: len(weight)]
    held.zero_()
    held[tuple(slice(length) for length in weight.shape)] = weight
    return wide


def _with_one_profile(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the weights with gains as products of a level of each rate and a channel's profile.

    The level of a rate is estimated from channels that were not switched off, all else from the
    finest rates. The scales of channels that were switched off follow those of the others.
    """
    rest = dict(state)
    gain, inverse = rest.pop("log_gain"), rest.pop("log_inverse")
    nodes = len(gain)
    fine = slice(nodes // 2, nodes)
    away = gain - gain[-1]
    # Only the largest gains are sure to be in use: gains fall where a channel is not used.
    level = gain[-1].mean() + away.topk(max(len(gain[-1]) // 8, 1), dim=1).values.median(1).values
    profile = (gain[fine] - level[fine, None]).mean(0)
    restored = (gain + inverse)[fine].mean(0)
    scale = rest.get("log_scale")
    if scale is not None:
        off = gain < level[:, None] + profile - OFF
        scale = scale.clone()
        for node in range(nodes - 2, -1, -1):
            used = ~off[node]
            step = (scale[node] - scale[node + 1])[used].median()
            scale[node, off[node]] = scale[node + 1, off[node]] + step
        rest["log_scale"] = scale
    return rest | {"log_level": level, "log_profile": profile, "log_restored": restored}


def _with_hyper_latents(
    state: Mapping[str, torch.Tensor], channels: int, nodes: int
) -> dict[str, torch.Tensor]:
    """Return the weights with only the hyper-latents of the largest spread.

    Parameters
    ----------
    state : mapping
        Weights by name.
    channels, nodes : int
        Hyper-latents to keep, and gain nodes. A package that has no more keeps all.
    """
    low, _, high = state["prior.bottleneck.quantiles"].unbind(2)
    found, spare = divmod(len(low), nodes)
    if found <= channels or spare:
        return dict(state)
    spread = (high - low).reshape(nodes, found).sum(0)
    kept = spread.argsort(descending=True)[:channels].sort().values
    own: dict[str, torch.Tensor] = {}
    for name, weight in state.items():
        if name.startswith("prior.") and len(weight) == len(low):
            by_node = weight.reshape(nodes, found, *weight.shape[1:])
            own[name] = by_node[:, kept].flatten(0, 1)
        elif name in HYPER_OUT:
            own[name] = weight[kept]
        elif name == HYPER_IN:
            own[name] = weight[:, kept]
        else:
            own[name] = weight
    return own
