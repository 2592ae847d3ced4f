"""Manifest of a codec package: the part that coding depends on, checked."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cytopress.codecs.learned.pixels.background import Mesh
from cytopress.codecs.learned.pixels.slabs import SlabLayout
from cytopress.errors import PackageError
from cytopress.image import AXES
from cytopress.models.model_package import EXACT_FORMAT, Package

FAMILY = "learned"
ARCHITECTURES = ("factorized", "hyperprior", "mean-scale", "context")
STEP_LAYERS = ("hidden", "mean", "scale")
# Steps of the context models, of latents and of hyper-latents.
CONTEXT, HYPER_CONTEXT = ("across", "inward"), ("diagonal", "beside")
PERCENTILES = (0.1, 99.9)
# Pixels; no network comes near, and a halo of it would need memory.
MOST_REACH = 1024
MOST_SHIFT = 40
MOST_LAYERS = 20
# Of the step of a background: a float32 plane has no more digits.
MOST_HALVINGS = 20
MOST_TRANSFORMS = 15


@dataclass(frozen=True, eq=False)
class CodecManifest:
    """The part of a manifest that coding depends on.

    Parameters
    ----------
    architecture : {"factorized", "hyperprior", "mean-scale", "context"}
        Entropy model of the latents.
    rates : int
        Models in the package, one for each rate.
    gains : int
        Gain nodes of each model; 0 for none.
    stride, hyper_stride : int
        Pixels along each axis for a latent and for a hyper-latent.
    latent_channels, hyper_channels : int
        M and Nz.
    analysis_reach, synthesis_reach : int
        Pixels beyond its own that a latent depends on, and distance in pixels of the latents that
        a pixel depends on.
    hyper_synthesis : tuple of mapping
        The layers: ``index``, ``shift``, ``relu``, ``upsample``.
    context, hyper_context : mapping
        Shifts of the layers of the context models of latents and hyper-latents, by names such as
        ``across.mean``; empty without one.
    slabs : SlabLayout, optional
        How volumes are coded in slabs (entry ``depth``); None for a codec of planes.
    slab_prediction : mapping
        Shifts of the layers that predict from the previous slab (entry ``below``); empty without.
    background : Mesh, optional
        Grid of the background that is subtracted before coding (entry ``surface``).
    percentiles : tuple of float
        Percentiles of an image that become 0 and 1.
    transforms : int
        Secondary transforms of a block's latents (entry ``rotations``); 0 for none.
    synthesis : tuple of int
        Shifts of the integer synthesis' layers; empty in format 1, whose synthesis is a graph.
    rdo : float
        Rate-distortion trade-off of the rounding: bits per unit of squared error, in quantization
        steps; 0 rounds to the nearest integer.
    """

    architecture: str
    rates: int
    gains: int
    stride: int
    hyper_stride: int
    latent_channels: int
    hyper_channels: int
    analysis_reach: int
    synthesis_reach: int
    hyper_synthesis: tuple[Mapping[str, Any], ...]
    context: Mapping[str, int]
    hyper_context: Mapping[str, int]
    slabs: SlabLayout | None
    slab_prediction: Mapping[str, int]
    background: Mesh | None
    percentiles: tuple[float, float]
    transforms: int
    synthesis: tuple[int, ...]
    rdo: float


def is_exact(package: Package) -> bool:
    """Return whether a package is of format 2, which decodes to the same pixels everywhere."""
    return bool(package.manifest["format"] == EXACT_FORMAT)


def read_manifest(package: Package) -> CodecManifest:
    """Return the checked manifest of a codec package; checked once.

    Raises
    ------
    PackageError
        The package is no `learned/NAME`, or its manifest contradicts itself.
    """
    return _checked(_Key(id(package.manifest), package))


@dataclass(frozen=True)
class _Key:
    """A package by its manifest, which lives as long as the key, as a cache needs it."""

    identity: int
    package: Package = field(compare=False)


@functools.lru_cache(maxsize=64)
def _checked(key: _Key) -> CodecManifest:
    package = key.package
    manifest = package.manifest
    architecture, name = manifest["architecture"], package.name
    if manifest["kind"] != "codec" or not name.startswith(f"{FAMILY}/"):
        raise PackageError(
            f"{package.path}: this is a {manifest['kind']} package named {name!r}, where a codec's"
            f" named {FAMILY}/NAME is needed."
        )
    if architecture not in ARCHITECTURES or manifest["axes"] not in AXES:
        raise PackageError(
            f"{package.path}: a codec package is one of {', '.join(ARCHITECTURES)} for"
            f" {' or '.join(AXES)} here, not {architecture!r} for {manifest['axes']};"
            " update cytopress."
        )
    channels = _whole(package, manifest, "latent_channels", 1, 4096)
    factorized = architecture == "factorized"
    stride = _whole(package, manifest, "stride", 1, 256)
    reach = manifest.get("reach")
    if not isinstance(reach, Mapping):
        raise PackageError(f"{package.path}: the manifest has no 'reach'.")
    checked = CodecManifest(
        architecture=architecture,
        rates=_whole(package, manifest, "rates", 1, 100),
        gains=_whole(package, manifest, "gains", 0, 1000),
        stride=stride,
        hyper_stride=_whole(package, manifest, "hyper_stride", stride, 1024),
        latent_channels=channels,
        hyper_channels=channels
        if factorized
        else _whole(package, manifest, "hyper_channels", 1, 4096),
        analysis_reach=_whole(package, reach, "analysis", 0, MOST_REACH),
        synthesis_reach=_whole(package, reach, "synthesis", 0, MOST_REACH),
        hyper_synthesis=() if factorized else _layers(package),
        context=_shifts(package, "context", CONTEXT) if architecture == "context" else {},
        hyper_context=_hyper_context(package),
        slabs=_slabs(package),
        slab_prediction=_slab_prediction(package),
        background=_background(package),
        percentiles=_percentiles(package),
        transforms=_transforms(package),
        synthesis=_synthesis(package),
        rdo=_real(package, manifest.get("rdo", 0.0)),
    )
    if checked.rates > 1 and checked.gains:
        raise PackageError(f"{package.path}: a package has several rates or gains, not both.")
    if checked.hyper_stride % stride or (factorized and checked.hyper_stride != stride):
        raise PackageError(
            f"{package.path}: 'hyper_stride' is {checked.hyper_stride} pixels, which does not fit a"
            f" stride of {stride} pixels of a {architecture} model."
        )
    return checked


def _whole(package: Package, values: Mapping[str, Any], key: str, least: int, most: int) -> int:
    value = values.get(key)
    if type(value) is not int or not least <= value <= most:
        raise PackageError(
            f"{package.path}: {key!r} in the manifest is an integer from {least} to {most}, not"
            f" {value!r}."
        )
    return value


def _real(package: Package, value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1000:
        raise PackageError(f"{package.path}: 'rdo' is a number from 0 to 1000, not {value!r}.")
    return float(value)


def _percentiles(package: Package) -> tuple[float, float]:
    found = package.manifest.get("range_percentiles", PERCENTILES)
    try:
        low, high = (float(value) for value in found)
    except (TypeError, ValueError):
        low = high = 0.0
    if not 0 <= low < high <= 100:
        raise PackageError(f"{package.path}: range_percentiles are two percentages, not {found!r}.")
    return low, high


def _layers(package: Package) -> tuple[Mapping[str, Any], ...]:
    layers = package.manifest.get("hyper_synthesis")
    if not isinstance(layers, list) or not layers:
        raise PackageError(f"{package.path}: the manifest lists no layers of the hyper synthesis.")
    for layer in layers:
        if not isinstance(layer, Mapping) or type(layer.get("relu")) is not bool:
            raise PackageError(f"{package.path}: the hyper synthesis has a layer {layer!r}.")
        _whole(package, layer, "index", 0, 100)
        _whole(package, layer, "shift", 0, MOST_SHIFT)
        _whole(package, layer, "upsample", 1, 4)
    return tuple(layers)


def _shifts(package: Package, key: str, steps: tuple[str, ...]) -> Mapping[str, int]:
    found, layers = (
        package.manifest.get(key),
        [f"{s}.{each}" for s in steps for each in STEP_LAYERS],
    )
    if not isinstance(found, Mapping) or found.keys() != set(layers):
        raise PackageError(
            f"{package.path}: {key!r} in the manifest has a shift for each of {', '.join(layers)},"
            f" not {found!r}."
        )
    return {name: _whole(package, found, name, 0, MOST_SHIFT) for name in layers}


def _hyper_context(package: Package) -> Mapping[str, int]:
    if package.manifest.get("hyper_context") is None:
        return {}
    if package.manifest["architecture"] == "factorized":
        raise PackageError(f"{package.path}: a factorized model has no hyper-latents.")
    return _shifts(package, "hyper_context", HYPER_CONTEXT)


def _transforms(package: Package) -> int:
    count = _whole(package, {"rotations": 0, **package.manifest}, "rotations", 0, MOST_TRANSFORMS)
    if count and package.manifest["architecture"] != "context":
        raise PackageError(f"{package.path}: 'rotations' need a context model.")
    return count


def _synthesis(package: Package) -> tuple[int, ...]:
    """Return the shifts of the layers of a package of format 2."""
    found, exact = package.manifest.get("synthesis"), is_exact(package)
    if not exact:
        return ()
    form = package.manifest["architecture"], package.manifest["rates"]
    if form != ("context", 1):
        raise PackageError(
            f"{package.path}: a package of format 2 is one context model, not {form[0]!r} with"
            f" {form[1]} rates."
        )
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_LAYERS:
        raise PackageError(f"{package.path}: the manifest lists no layers of the synthesis.")
    shifts = [{"synthesis": shift} for shift in found]
    return tuple(_whole(package, shift, "synthesis", 0, MOST_SHIFT) for shift in shifts)


def _slabs(package: Package) -> SlabLayout | None:
    found = package.manifest.get("depth")
    if (found is not None) != (package.manifest["axes"] == "ZYX"):
        raise PackageError(f"{package.path}: 'depth' is in the manifest of a codec of ZYX alone.")
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise PackageError(f"{package.path}: 'depth' in the manifest is a table, not {found!r}.")
    return SlabLayout(
        _whole(package, found, "stride", 1, 64),
        _whole(package, found, "margin", 0, 64),
        _whole(package, found, "neighbors", 0, 8),
    )


def _slab_prediction(package: Package) -> Mapping[str, int]:
    found = package.manifest.get("below")
    if found is None:
        return {}
    means = package.manifest["architecture"] in ("mean-scale", "context")
    volumes = package.manifest["axes"] == "ZYX"
    if not isinstance(found, Mapping) or found.keys() != set(STEP_LAYERS) or not means & volumes:
        raise PackageError(
            f"{package.path}: 'below' in the manifest has a shift for each of"
            f" {', '.join(STEP_LAYERS)}, in a codec of ZYX whose latents have means, not"
            f" {found!r}."
        )
    return {name: _whole(package, found, name, 0, MOST_SHIFT) for name in STEP_LAYERS}


def _background(package: Package) -> Mesh | None:
    found = package.manifest.get("surface")
    if not found:
        return None
    if package.manifest["axes"] == "ZYX":
        raise PackageError(f"{package.path}: 'surface' is for codecs of planes, not of volumes.")
    step = found.get("step") if isinstance(found, Mapping) else None
    if not isinstance(step, float) or not 2.0**-20 <= step <= 1:
        raise PackageError(
            f"{package.path}: 'surface' in the manifest has a block and a step, not {found!r}."
        )
    halvings = _whole(package, {"halvings": 0, **found}, "halvings", 0, MOST_HALVINGS)
    return Mesh(_whole(package, found, "block", 2, 2**16), step, halvings)
