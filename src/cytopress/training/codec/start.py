"""The networks of a training as they begin: at random by its seed, or from a package's weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cytopress.errors import PackageError, UsageError
from cytopress.package import Package, find_package
from cytopress.settings import Settings
from cytopress.training.codec.compressai_network import CompressAINetwork
from cytopress.training.codec.config import CodecTraining
from cytopress.training.codec.export import load_state
from cytopress.training.codec.networks import build
from cytopress.training.precision import computed_in


def begin(config: CodecTraining, settings: Settings) -> list[nn.Module]:
    """Return the networks of a training, one a lambda, or one with gains.

    With ``init``, each starts from the network of its place in the package, or from the last.

    Raises
    ------
    UsageError
        CompressAI's model has another number of gains.
    UnknownNameError
        No package bears the name of ``init``.
    PackageError
        That package holds another network's weights, or none to start from.
    """
    package = None
    if config.init is not None:
        package = find_package(settings.model_folders, "codec", config.init)
    networks = []
    bfloat16 = computed_in(config.fit.precision) == "bfloat16"
    for index in range(config.rate.networks):
        # Whatever was drawn before, a network begins as its config says.
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
    own, held = network.state_dict(), package.manifest["architecture"]
    missing = dict(network.named_parameters()).keys() - state.keys()
    if held != network.architecture or missing or state.keys() - own.keys():
        raise PackageError(
            f"{package.path} holds a network of another form ({held}) than the one to be trained"
            f" ({network.architecture}); start from another package."
        )
    for name, weight in state.items():
        if weight.shape != own[name].shape:
            raise PackageError(
                f"{package.path} holds a network of another size than the one to be trained:"
                f" {name} is {tuple(weight.shape)}, where {tuple(own[name].shape)} is needed;"
                " start from another package, or give the network, stride and gains of this one."
            )
    network.load_state_dict(state, strict=False)
