"""CompressAI's architectures with one channel, trained as our own networks are."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cytopress.codecs.learned.compressai.architectures import (
    BY_NAME,
    FAMILY,
    gain,
    model_options,
    mono,
    need,
)
from cytopress.errors import PackageError, UsageError
from cytopress.models.model_package import Array, Package, write_package
from cytopress.training.codec.coded import Coded


class CompressAINetwork(nn.Module):
    """A CompressAI model of one channel, with the interface that training expects.

    A variable-rate model is trained at its gain levels; a quality stands for the nearest one.
    Between them the logarithm of the gain is interpolated (``hard``), as when coding. CompressAI
    keeps the gains themselves fixed.

    Parameters
    ----------
    name : str
        Such as ``mbt2018-mean``, or ``compressai/mbt2018-mean``.
    **options
        ``N``, ``M`` and ``groups``, as `model_options` takes them.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__()
        self.name = name.removeprefix(f"{FAMILY}/")
        if self.name not in BY_NAME:
            raise UsageError(
                f"CompressAI has no architecture {name!r}; it has {', '.join(BY_NAME)}."
            )
        self.options = model_options(self.name, options)
        self.model = mono(self.name, **self.options)
        self.pad = 64
        self.autocast = False
        entropy_model = need("compressai.entropy_models").EntropyModel
        for module in self.model.modules():
            if isinstance(module, entropy_model):
                module.register_forward_pre_hook(_into_float32, with_kwargs=True)
                module.register_forward_hook(_out_of_float32, always_call=True)
        self.gains = len(self.model.Gain) if BY_NAME[self.name].gains else 0

    def forward(
        self,
        x: Tensor,
        quality: Tensor,
        *,
        center: Tensor | None = None,  # noqa: ARG002 - these models know no mean
        hard: bool = False,
    ) -> Coded:
        """Return the reconstruction and the estimated bits.

        Parameters
        ----------
        x : Tensor
            Shape (N, 1, H, W), the used range mapped to [0, 1]; H and W multiples of ``pad``.
        quality : Tensor
            Shape (N,), 0 to 1; counts for variable-rate models only.
        hard : bool
            Quantize, instead of CompressAI's relaxation for training.

        Returns
        -------
        Coded
            The autoregressive models round their latents otherwise here than when they code, so
            their bits are near those of true streams, not equal.
        """
        # CompressAI adds noise in training mode, and rounds in evaluation mode.
        before = self.model.training
        self.model.train(not hard)
        try:
            with torch.autocast(x.device.type, torch.bfloat16, enabled=self.autocast):
                if self.gains:
                    return self._at_each_gain(x, quality, hard=hard)
                return _coded(self.model(x))
        finally:
            self.model.train(before)

    def _at_each_gain(self, x: Tensor, quality: Tensor, *, hard: bool) -> Coded:
        """Code images of the same rate together: CompressAI takes one gain a batch."""
        steps = quality if hard else torch.round(quality * (self.gains - 1))
        x_hat, bits = torch.empty_like(x), x.new_empty(len(x))
        for step in torch.unique(steps):
            rows = steps == step
            if hard:
                made = self.model(x[rows], inputscale=gain(self.model, float(step)))
            else:
                made = self.model(x[rows], s=int(step))
            coded = _coded(made)
            x_hat = x_hat.index_put((rows,), coded.x_hat.to(x_hat.dtype))
            bits = bits.index_put((rows,), coded.bits)
        return Coded(x_hat, bits)

    def main_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that the rate-distortion loss trains."""
        return [value for name, value in self.model.named_parameters() if not _auxiliary(name)]

    def aux_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that the auxiliary loss trains: the quantiles."""
        return [value for name, value in self.model.named_parameters() if _auxiliary(name)]

    def aux_loss(self) -> Tensor:
        """Return the distance of the quantiles from the ends of the tables."""
        loss: Tensor = self.model.aux_loss()
        return loss

    def state_arrays(self) -> dict[str, Array]:
        """Return the state with its tables for a package, by CompressAI's names.

        The tables are made in a copy: here their new sizes would keep checkpoints from loading.
        """
        model = copy.deepcopy(self.model).cpu().eval()
        with torch.inference_mode():
            model.update(force=True)
        return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}

    def load_package(self, package: Package, rate: int = 0) -> None:
        """Start from the weights of a package, of the ``rate``-th model in it.

        Raises
        ------
        PackageError
            It holds another network's.
        """
        own = {"channels": 1, **self.options}
        held = package.manifest.get("model")
        if package.manifest["architecture"] != f"{FAMILY}/{self.name}" or held != own:
            raise PackageError(
                f"{package.path} holds {package.manifest['architecture']} {held}, where"
                f" {FAMILY}/{self.name} {own} is to be trained; start from another package."
            )
        kept = self.model.state_dict()
        # The tables belong to the end of a training, not to its start.
        learned = [name for name in kept if name in dict(self.model.named_parameters())]
        for name in learned:
            kept[name] = torch.from_numpy(package.array(f"r{rate}/state/{name}"))
        nn.Module.load_state_dict(self.model, kept)


def write_compressai_package(
    path: Path, networks: Sequence[CompressAINetwork | None], manifest: Mapping[str, Any]
) -> Package:
    """Write trained networks as one package, from the coarsest rate to the finest.

    Parameters
    ----------
    path : Path
        The ``.cytomodel`` file.
    networks : sequence of CompressAINetwork
        One a rate, all of the same name and options; a variable-rate one alone. None for a rate
        whose training has not begun.
    manifest : mapping
        ``name`` and whatever tells of the training; architecture, rates and options are added.
    """
    trained = [network for network in networks if network is not None]
    first = trained[0]
    if any((one.name, one.options) != (first.name, first.options) for one in trained):
        raise UsageError(f"{path}: the networks of a package are of one architecture and size.")
    if first.gains and len(networks) > 1:
        raise UsageError(f"{path}: one variable-rate network has every rate; {len(networks)} came.")
    arrays = {
        f"r{rate}/state/{name}": value
        for rate, network in enumerate(networks)
        if network is not None
        for name, value in network.state_arrays().items()
    }
    whole = {
        **manifest,
        "kind": "codec",
        "axes": "YX",
        "architecture": f"{FAMILY}/{first.name}",
        "rates": len(networks),
        "gains": first.gains,
        "model": {"channels": 1, **first.options},
    }
    return write_package(path, whole, graphs={}, arrays=arrays)


def _into_float32(module: Any, args: Any, kwargs: Any) -> Any:
    """Compute probabilities in float32 whatever the rest is computed in."""
    module.whole = torch.autocast(args[0].device.type, enabled=False)
    module.whole.__enter__()

    def whole(value: Any) -> Any:
        return value.float() if isinstance(value, Tensor) else value

    return tuple(map(whole, args)), {name: whole(value) for name, value in kwargs.items()}


def _out_of_float32(module: Any, *_: Any) -> None:
    module.whole.__exit__(None, None, None)
    del module.whole


def _auxiliary(name: str) -> bool:
    return name.endswith(".quantiles")


def _coded(made: Mapping[str, Any]) -> Coded:
    bits = sum(-torch.log2(part).flatten(1).sum(1) for part in made["likelihoods"].values())
    assert isinstance(bits, Tensor)
    return Coded(made["x_hat"], bits)
