"""Packages opened as models: every array checked, once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.context import Context, Step
from cytopress.codecs.learned.hyper import HyperSynthesis, Layer
from cytopress.codecs.learned.manifest import STEP_LAYERS, Card, read_card
from cytopress.codecs.learned.model import Model
from cytopress.codecs.learned.surface import Surface
from cytopress.codecs.learned.tables import Tables, padded_rows
from cytopress.errors import PackageError
from cytopress.package import Package

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class _Key:
    """A model by the digest and place of its package: what a cache needs.

    The place counts too: of two equal files one may go while the other stays.
    """

    sha256: str
    path: Path
    index: int
    package: Package = field(compare=False)


def open_model(package: Package, index: int = 0) -> Model:
    """Return one model of a codec package; opened once.

    Parameters
    ----------
    package : Package
        Of kind "codec".
    index : int, optional
        Which of its rates, from 0.

    Raises
    ------
    PackageError
        The package is of another kind, or lacks or contradicts something; the message says what.
    """
    return _opened(_Key(package.sha256, package.path, index, package))


@functools.lru_cache(maxsize=8)
def _opened(key: _Key) -> Model:
    package, prefix = key.package, f"r{key.index}/"
    card = read_card(package)
    try:
        model = _read(package, prefix, card)
    except PackageError as error:
        if str(error).startswith(str(package.path)):
            raise
        raise PackageError(f"{package.path}: {error}") from error
    return model


def _read(package: Package, prefix: str, card: Card) -> Model:
    nodes, channels = max(card.gains, 1), card.latent_channels
    surface = Surface(card.surface, _tables(package, "surface")) if card.surface else None
    gain, inverse = (
        _checked(package, prefix + name, (nodes, channels), "f")
        for name in ("gain", "inverse_gain")
    )
    prior = _tables(package, prefix + "prior")
    if len(prior) not in {card.hyper_channels, card.hyper_channels * nodes}:
        raise PackageError(
            f"there are {len(prior)} prior tables for {card.hyper_channels} channels and"
            f" {nodes} nodes."
        )
    if card.architecture == "factorized":
        none = np.zeros((nodes, channels), np.int64)
        return Model(package, prefix, card, gain, inverse, none, prior, surface=surface)
    bias = _checked(package, prefix + "scale_bias", (nodes, channels), "i").astype(np.int64)
    if np.abs(bias).max() > 2**20:
        raise PackageError("the scale bias is larger than any scale index can be.")
    scales = _tables(package, prefix + "scale")
    if len(scales) > 256:
        raise PackageError(f"there are {len(scales)} scale tables; at most 256 can be told apart.")
    h_s = HyperSynthesis(tuple(_layer(package, prefix, entry) for entry in card.hyper_synthesis))
    context = _context(package, prefix, card) if card.context else None
    if context is not None and context.channels != channels:
        raise PackageError(
            f"the context model is of {context.channels} channels, where {channels} belong."
        )
    if context is not None and h_s.upsample % 2:
        raise PackageError("a checkerboard needs a hyper stride of an even number of latents.")
    outputs = channels * (1 if card.architecture == "hyperprior" else 2)
    outputs += context.features if context else 0
    below = _step(package, f"{prefix}below", card.below) if card.below else None
    if below is not None:
        if {below.form[0], below.form[2]} != {channels}:
            raise PackageError(f"the step from below is not of {channels} channels.")
        outputs += below.form[1]
    wanted = (card.hyper_channels, outputs, card.hyper_stride // card.stride)
    if (h_s.inputs, h_s.outputs, h_s.upsample) != wanted:
        raise PackageError(
            f"the hyper synthesis has (inputs, outputs, upsampling)"
            f" {(h_s.inputs, h_s.outputs, h_s.upsample)}, where {wanted} belong."
        )
    return Model(
        package, prefix, card, gain, inverse, bias, prior, scales, h_s, context, below, surface
    )


def _checked(package: Package, name: str, shape: tuple[int, ...], kind: str) -> Array:
    array = package.array(name)
    if array.shape != shape or array.dtype.kind != kind:
        raise PackageError(
            f"{name} is {array.dtype} {array.shape}, where {shape} of kind {kind!r} belongs."
        )
    if not np.isfinite(array).all():
        raise PackageError(f"{name} holds values that are not finite.")
    return array


def _tables(package: Package, name: str) -> Tables:
    cdf, size, offset = (package.array(f"{name}_{part}") for part in ("cdf", "size", "offset"))
    # The first packages stored rows of unequal size as a rectangle, nearly all of it padding.
    return Tables(padded_rows(cdf, size) if cdf.ndim == 1 else cdf, size, offset)


def _context(package: Package, prefix: str, card: Card) -> Context:
    shifts = {
        step: {layer: card.context[f"{step}.{layer}"] for layer in STEP_LAYERS}
        for step in ("across", "inward")
    }
    across, inward = (
        _step(package, f"{prefix}context.{step}", own) for step, own in shifts.items()
    )
    return Context(across, inward)


def _step(package: Package, name: str, shifts: Mapping[str, int]) -> Step:
    layers = (
        Layer(
            weight=package.array(f"{name}.{layer}.weight"),
            bias=package.array(f"{name}.{layer}.bias"),
            shift=shifts[layer],
            relu=False,
            upsample=1,
        )
        for layer in STEP_LAYERS
    )
    return Step(*layers)


def _layer(package: Package, prefix: str, entry: Mapping[str, Any]) -> Layer:
    name = f"{prefix}hs.{entry['index']}"
    return Layer(
        weight=package.array(f"{name}.weight"),
        bias=package.array(f"{name}.bias"),
        shift=entry["shift"],
        relu=entry["relu"],
        upsample=entry["upsample"],
    )
