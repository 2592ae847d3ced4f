"""Packages opened as models: every array checked, once."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables, padded_rows
from cytopress.codecs.learned.latents.context_model import ContextModel, ContextStep
from cytopress.codecs.learned.latents.gain_units import Gains
from cytopress.codecs.learned.latents.hyper_context import HyperContext
from cytopress.codecs.learned.latents.hyper_synthesis import HyperSynthesis, Layer
from cytopress.codecs.learned.latents.secondary_transforms import PARTS, SecondaryTransforms
from cytopress.codecs.learned.model.manifest import (
    CONTEXT,
    HYPER_CONTEXT,
    STEP_LAYERS,
    CodecManifest,
    read_manifest,
)
from cytopress.codecs.learned.model.plane_model import Model
from cytopress.codecs.learned.pixels.background import Background
from cytopress.errors import PackageError
from cytopress.models.model_package import Package

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
    card = read_manifest(package)
    try:
        model = _read(package, prefix, card)
    except PackageError as error:
        if str(error).startswith(str(package.path)):
            raise
        raise PackageError(f"{package.path}: {error}") from error
    return model


def _read(package: Package, prefix: str, card: CodecManifest) -> Model:
    nodes, channels = max(card.gains, 1), card.latent_channels
    surface = Background(card.surface, _tables(package, "surface")) if card.surface else None
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
        return Model(package, prefix, card, Gains(gain, inverse, none, surface), prior)
    bias = _bias(package, prefix + "scale_bias", (nodes, channels))
    scales = _tables(package, prefix + "scale")
    if len(scales) > 256:
        raise PackageError(f"there are {len(scales)} scale tables; at most 256 can be told apart.")
    h_s = HyperSynthesis(tuple(_layer(package, prefix, entry) for entry in card.hyper_synthesis))
    context = (
        ContextModel(*_steps(package, f"{prefix}context", CONTEXT, card.context))
        if card.context
        else None
    )
    hyper_context = _hyper_context(package, prefix, card) if card.hyper_context else None
    if context is not None and context.channels != channels:
        raise PackageError(
            f"the context model is of {context.channels} channels, where {channels} belong."
        )
    if context is not None and h_s.upsample % 2:
        raise PackageError("a checkerboard needs a hyper stride of an even number of latents.")
    rotations = _rotations(package, prefix, card, context) if context and card.rotations else ()
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
        package,
        prefix,
        card,
        Gains(gain, inverse, bias, surface),
        prior,
        scales,
        h_s,
        context,
        below,
        hyper_context,
        *rotations,
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


def _tables(package: Package, name: str) -> ProbabilityTables:
    cdf, size, offset = (package.array(f"{name}_{part}") for part in ("cdf", "size", "offset"))
    # The first packages stored rows of unequal size as a rectangle, nearly all of it padding.
    return ProbabilityTables(padded_rows(cdf, size) if cdf.ndim == 1 else cdf, size, offset)


def _bias(package: Package, name: str, shape: tuple[int, ...]) -> Array:
    bias = _checked(package, name, shape, "i").astype(np.int64)
    if np.abs(bias).max() > 2**20:
        raise PackageError(f"the scale bias {name} is larger than any scale index can be.")
    return bias


def _hyper_context(package: Package, prefix: str, card: CodecManifest) -> HyperContext:
    name = f"{prefix}hyper_context"
    diagonal, beside = _steps(package, name, HYPER_CONTEXT, card.hyper_context)
    features = _checked(package, f"{name}.features", (2, diagonal.form[1]), "i")
    bias = _bias(package, f"{name}.bias", (max(card.gains, 1), card.hyper_channels))
    return HyperContext(diagonal, beside, features, bias)


def _rotations(
    package: Package, prefix: str, card: CodecManifest, context: ContextModel
) -> tuple[tuple[SecondaryTransforms, SecondaryTransforms]]:
    found = []
    for part, channels in zip(
        PARTS, (context.first, context.channels - context.first), strict=True
    ):
        name, shape = f"{prefix}rotations.{part}", (card.rotations, channels)
        matrices = _checked(package, f"{name}.matrix", (*shape, channels), "i")
        bias = _bias(package, f"{name}.bias", shape)
        found.append(SecondaryTransforms(matrices, bias, _tables(package, f"{name}.odds")))
    return ((found[0], found[1]),)


def _steps(
    package: Package, name: str, steps: Sequence[str], shifts: Mapping[str, int]
) -> list[ContextStep]:
    return [
        _step(package, f"{name}.{step}", {each: shifts[f"{step}.{each}"] for each in STEP_LAYERS})
        for step in steps
    ]


def _step(package: Package, name: str, shifts: Mapping[str, int]) -> ContextStep:
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
    return ContextStep(*layers)


def _layer(package: Package, prefix: str, entry: Mapping[str, Any]) -> Layer:
    name = f"{prefix}hs.{entry['index']}"
    return Layer(
        weight=package.array(f"{name}.weight"),
        bias=package.array(f"{name}.bias"),
        shift=entry["shift"],
        relu=entry["relu"],
        upsample=entry["upsample"],
    )
