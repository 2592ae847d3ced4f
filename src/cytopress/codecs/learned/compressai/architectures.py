"""The image architectures of CompressAI 1.2.8, and their forms with one channel.

torch and compressai are imported inside functions: they come with the extra ``learn``.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

from cytopress.errors import NotAvailableError, UsageError

FAMILY = "compressai"
# Far above any real network: a crafted manifest cannot make the reader allocate a huge one.
MOST_CHANNELS = 2048
# ELIC's groups of 320 latent channels.
ELIC_GROUPS = (16, 16, 32, 64, 192)
MISSING = "compressai/ codecs need torch and CompressAI: pip install 'cytopress[learn]'."


@dataclass(frozen=True)
class Architecture:
    """Facts about one of CompressAI's architectures that CompressAI itself does not give.

    Parameters
    ----------
    name : str
        Name in CompressAI's registry.
    options : tuple of str
        Arguments of its constructor.
    multiple : int
        Height and width must be multiples of it.
    zoo : mapping
        Number of pretrained models by the metric they were trained for; 0: one model with gains.
    latents : str
        Structure of the coded latents: ``factorized``, ``hyper``, ``checkerboard`` or ``groups``.
    gains : bool
        Whether one model codes at every rate, by gains of its latents.
    """

    name: str
    options: tuple[str, ...]
    zoo: Mapping[str, int]
    latents: str = "hyper"
    multiple: int = 64
    gains: bool = False


def _both(count: int) -> Mapping[str, int]:
    return {"mse": count, "ms-ssim": count}


ARCHITECTURES: tuple[Architecture, ...] = (
    Architecture("bmshj2018-factorized", ("N", "M"), _both(8), "factorized", 16),
    Architecture("bmshj2018-factorized-relu", ("N", "M"), {}, "factorized", 16),
    Architecture("bmshj2018-hyperprior", ("N", "M"), _both(8)),
    Architecture("mbt2018-mean", ("N", "M"), _both(8)),
    Architecture("mbt2018", ("N", "M"), _both(8)),
    Architecture("cheng2020-anchor", ("N",), _both(6)),
    Architecture("cheng2020-attn", ("N",), _both(6)),
    Architecture("bmshj2018-hyperprior-vbr", ("N", "M"), {"mse": 0}, gains=True),
    Architecture("mbt2018-mean-vbr", ("N", "M"), {"mse": 0}, gains=True),
    Architecture("mbt2018-vbr", ("N", "M"), {"mse": 0}, gains=True),
    Architecture("cheng2020-anchor-checkerboard", ("N",), {}, "checkerboard"),
    Architecture("elic2022-official", ("N", "M", "groups"), {}, "groups"),
    Architecture("elic2022-chandelier", ("N", "M", "groups"), {}, "groups"),
)
BY_NAME = {architecture.name: architecture for architecture in ARCHITECTURES}


def need(module: str) -> ModuleType:
    """Import a module of the extra ``learn``.

    Raises
    ------
    NotAvailableError
        The extra is not installed.
    """
    try:
        with warnings.catch_warnings():
            # CompressAI imports whatever else is installed, deprecated parts included.
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError as error:
        raise NotAvailableError(MISSING) from error


def model_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked arguments for the constructor of an architecture.

    Parameters
    ----------
    name : str
        Such as ``mbt2018-mean``.
    given : mapping
        ``N`` channels of the transforms and ``M`` of the latents, as CompressAI calls them, and for
        ELIC ``groups``, in its own proportions unless given. Options that the constructor does not
        take are left out; ``cheng2020`` has M = N.

    Raises
    ------
    UsageError
        One is missing, or is not a whole number in the range allowed.
    """
    wanted = BY_NAME[name].options
    options: dict[str, Any] = {}
    for key in wanted[:2]:
        value = given.get(key)
        if type(value) is not int or not 4 <= value <= MOST_CHANNELS:
            raise UsageError(
                f"{FAMILY}/{name} needs {key}, a whole number from 4 to {MOST_CHANNELS}, not"
                f" {value!r}."
            )
        options[key] = value
    if "groups" in wanted:
        groups = given.get("groups") or _groups(options["M"])
        if not all(type(n) is int and n > 0 for n in groups) or sum(groups) != options["M"]:
            raise UsageError(f"{FAMILY}/{name}: groups are counts that sum up to M, not {groups}.")
        options["groups"] = list(groups)
    return options


def _groups(channels: int) -> list[int]:
    whole = sum(ELIC_GROUPS)
    first = [max(1, channels * group // whole) for group in ELIC_GROUPS[:-1]]
    return [*first, channels - sum(first)]


def mono(name: str, **options: Any) -> Any:
    """Return CompressAI's model of an architecture, with one channel in and out, untrained.

    Parameters
    ----------
    name : str
        Such as ``mbt2018-mean``.
    **options
        As in `model_options`.

    Returns
    -------
    CompressionModel
        CompressAI's, with its first convolutions and its last one replaced.
    """
    need("compressai.models")
    registry = need("compressai.registry")
    model = registry.MODELS[name](**model_options(name, options))
    _one_channel_in(model.g_a)
    _one_channel_out(model.g_s)
    return model


def _one_channel_in(analysis: Any) -> None:
    """Replace the convolutions whose input is the image: one, or two with a skip connection.

    No other layer has three input channels: networks have at least four.
    """
    nn = need("torch.nn")
    for parent in [analysis, *analysis[0].modules()]:
        for key, layer in parent.named_children():
            if isinstance(layer, nn.Conv2d) and layer.in_channels == 3:
                parts = (layer.out_channels, layer.kernel_size, layer.stride, layer.padding)
                setattr(parent, key, nn.Conv2d(1, *parts))


def _one_channel_out(synthesis: Any) -> None:
    """Replace the convolution whose output is the image, transposed or before a pixel shuffle."""
    nn = need("torch.nn")
    parent = synthesis
    last = parent[-1]
    if isinstance(last, nn.Sequential):
        convolution, shuffle = last
        channels = shuffle.upscale_factor**2
        last[0] = nn.Conv2d(
            convolution.in_channels,
            channels,
            convolution.kernel_size,
            convolution.stride,
            convolution.padding,
        )
        return
    parent[-1] = nn.ConvTranspose2d(
        last.in_channels,
        1,
        last.kernel_size,
        last.stride,
        last.padding,
        last.output_padding,
    )


def gain(model: Any, quality: float) -> Any:
    """Return the scale of a variable-rate model at a quality from 0 to 1, a tensor of no dims.

    The logarithm of its gain levels, evenly spaced from 0 (coarsest) to 1, is interpolated.
    """
    torch = need("torch")
    levels = torch.log2(torch.abs(model.Gain.detach().double()))
    position = min(max(float(quality), 0.0), 1.0) * (len(levels) - 1)
    lower = min(int(position), len(levels) - 2)
    mixed = torch.lerp(levels[lower], levels[lower + 1], position - lower)
    return torch.exp2(mixed).to(cast(Any, model.Gain).dtype)
