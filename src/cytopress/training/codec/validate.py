"""Validation between rounds: whole held-out fields, in true bytes."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.learned.codec import LearnedFamily
from cytopress.codecs.learned.compressai import family as compressai_family
from cytopress.codecs.registry import decode_by
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.models.model_package import Package
from cytopress.training.codec.compressai_network import CompressAINetwork, write_compressai_package
from cytopress.training.codec.export import write_codec_package
from cytopress.training.codec.sources import Plane

# Qualities of the curve that is computed between rounds.
QUALITIES = (0.25, 0.5, 0.75)


def write_any(path: Path, networks: Sequence[Any], manifest: dict[str, Any]) -> Package:
    """Write networks of either kind as a package."""
    if any(isinstance(network, CompressAINetwork) for network in networks):
        return write_compressai_package(path, networks, manifest)
    return write_codec_package(path, networks, manifest)


def codecs_of(package: Package, qualities: Sequence[float]) -> list[StreamCodec]:
    """Return a package's codecs: at these qualities, at each of its rates, or at its only one."""
    architecture = str(package.manifest["architecture"])
    family: Any = LearnedFamily(package)
    options: dict[str, Any] = {}
    if architecture.startswith("compressai/"):
        options = {"weights": str(package.path)}
        family = compressai_family(architecture).given(options)
    parameter = family.traits.parameter
    if parameter is None:
        return [family.from_options(options)]
    values = range(1, int(parameter.most) + 1) if parameter.integer else qualities
    return [family.from_options({**options, "quality": value}) for value in values]


def validator(
    planes: Sequence[Plane], *, name: str, rdo: float, fields: int
) -> Callable[[nn.Module], dict[str, Any]] | None:
    """Return the function that scores a network on held-out planes; None without any.

    The row it returns has under ``validation``, for each source, ``bpp`` and ``psnr`` (over the
    data range) at each quality, means over at most ``fields`` planes.
    """
    chosen: dict[str, list[Plane]] = {}
    for plane in planes:
        own = chosen.setdefault(plane.source.name, [])
        if len(own) < fields:
            own.append(plane)
    if not any(chosen.values()):
        return None

    def validate(network: nn.Module) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "round.cytomodel"
            package = write_any(path, [copy.deepcopy(network).cpu()], {"name": name, "rdo": rdo})
            codecs = codecs_of(package, QUALITIES)
            return {
                "validation": {
                    source: [_score(each, own) for each in codecs] for source, own in chosen.items()
                }
            }

    return validate


def _score(codec: StreamCodec, planes: Sequence[Plane]) -> dict[str, float]:
    bpp, psnr = [], []
    for plane in planes:
        image = Image(plane.pixels * np.float32(plane.high - plane.low) + np.float32(plane.low))
        data = codec.encode(image)
        bpp.append(8 * len(data) / image.pixels.size)
        decoded = decode_by(codec, data).pixels
        psnr.append(metric("psnr").function(image.pixels, decoded, plane.data_range))
    return {"bpp": float(np.mean(bpp)), "psnr": float(np.mean(psnr))}
