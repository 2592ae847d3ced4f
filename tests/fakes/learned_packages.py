"""Packages of learned codecs with something changed in them, and streams of one slab alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt

from cytopress.codecs.learned.entropy.range_coder import RangeDecoder, RangeEncoder
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.model.codec_model import CodecModel
from cytopress.models.model_package import Package, write_package


def remade(
    package: Package,
    folder: Path,
    *,
    manifest: dict[str, Any] | None = None,
    arrays: dict[str, Any] | None = None,
    drop: str = "",
) -> Package:
    """Return a copy of a package with something else in it, and something not."""
    names = [name for name in package.names() if name != drop]
    stored = {name[:-4]: package.array(name[:-4]) for name in names if name.endswith(".npy")}
    graphs = {name[:-5]: package.read(name) for name in names if name.endswith(".onnx")}
    return write_package(
        folder / "other.cytomodel",
        {**package.manifest, **(manifest or {})},
        graphs=graphs,
        arrays=stored | (arrays or {}),
    )


def encode_latents(
    model: CodecModel, y: npt.NDArray[Any], setting: GainSetting
) -> tuple[bytes, npt.NDArray[Any]]:
    """Return the stream of the latents of one slab, and the latents that a synthesis is given."""
    encoder = RangeEncoder()
    y_hat = model.encode_latents(encoder, y, setting)
    return encoder.bytes(), y_hat * setting.inverse_gain


def decode_latents(
    model: CodecModel, stream: bytes, shape: tuple[int, ...], setting: GainSetting
) -> npt.NDArray[Any]:
    """Return the latents of a stream of one slab of ``shape`` that a synthesis is given."""
    decoder = RangeDecoder(stream)
    height, width = shape
    y_hat = model.decode_latents(decoder, (height, width), setting)
    decoder.finish()
    return y_hat * setting.inverse_gain
