"""Write napari's image layers as one .cyto file, losslessly: a scene for each form, with channels.

Layers that follow each other and are equal in shape, pixel type and pixel size become the channels
of one scene.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cytopress.atomic import atomic_file
from cytopress.codecs.container import multi_image
from cytopress.codecs.spec import codec
from cytopress.errors import UsageError
from cytopress.files.find import CYTO as SUFFIX
from cytopress.formats.ome_document import TakenScene, stored_document
from cytopress.formats.scene import Scene
from cytopress.formats.units import in_micrometers
from cytopress.image import Image, Spacing

LayerData = tuple[Any, Mapping[str, Any], str]
# Other pixel types are coded by a codec that takes all of them.
LOSSLESS = {"uint8": "jpegls", "uint16": "jpegls"}


@dataclass(frozen=True)
class _Channel:
    """A layer: its pixels (T, [Z], Y, X), and what an image knows beside them."""

    name: str
    pixels: Any
    spacing_um: Spacing | None
    bits: int

    @property
    def form(self) -> tuple[Any, ...]:
        return tuple(self.pixels.shape), str(self.pixels.dtype), self.spacing_um, self.bits

    def image(self, time: int) -> Image:
        pixels = np.asarray(self.pixels[time])
        return Image(pixels, bits=self.bits, spacing_um=self.spacing_um, name=self.name)


def write_layers(path: str | Path, layers: Sequence[LayerData]) -> list[str]:
    """Write layers to a .cyto file, which appears whole or not at all; return its path.

    Raises
    ------
    UsageError
        A layer has color, or more dimensions than time and a stack.
    ImageError
        Its pixels are of a type that an image cannot have, or not finite.
    """
    path = Path(path)
    path = path if path.suffix.lower() == SUFFIX else path.with_name(f"{path.name}{SUFFIX}")
    channels = [_channel(*layer[:2]) for layer in layers]
    scenes = [list(alike) for _, alike in itertools.groupby(channels, lambda one: one.form)]
    document = stored_document([_taken(scene) for scene in scenes])
    with atomic_file(path) as temporary, temporary.open("wb") as stream:
        if len(channels) == 1 and document.bare and len(channels[0].pixels) == 1:
            stream.write(_coded(channels[0].image(0)))
        else:
            writer = multi_image.Writer(stream)
            for scene in scenes:
                for time, channel in itertools.product(range(len(scene[0].pixels)), scene):
                    writer.add(_coded(channel.image(time)))
            sizes = [(len(scene[0].pixels), len(scene)) for scene in scenes]
            writer.finish(sizes, document.text)
    return [str(path)]


def _coded(image: Image) -> bytes:
    return codec(LOSSLESS.get(image.dtype.name, "zstd")).solve(image).data


def _channel(data: Any, metadata: Mapping[str, Any]) -> _Channel:
    name = str(metadata.get("name") or "")
    if metadata.get("rgb"):
        raise UsageError(f"{name}: has color, and a .cyto file holds gray channels; split it.")
    pixels = data[0] if metadata.get("multiscale") else data
    labels = tuple(str(label).lower() for label in metadata.get("axis_labels") or ())
    spacing = list(_spacing(metadata, pixels.ndim))
    # Dimensions of length 1 in front, such as those of an OME-Zarr image.
    while pixels.ndim > 2 and pixels.shape[0] == 1:
        pixels, labels, spacing = pixels[0], labels[1:], spacing[1:]
    timed = pixels.ndim == 4 or (pixels.ndim == 3 and labels[:1] in (("t",), ("time",)))
    if pixels.ndim > 4 or pixels.ndim < 2:
        raise UsageError(
            f"{name}: has {pixels.ndim} dimensions; a .cyto file holds planes and stacks, over time"
            " where the first axis is t."
        )
    steps = tuple(spacing[1:] if timed else spacing)
    known = metadata.get("metadata", {}).get("cytopress", {})
    bits = known.get("bits", 0) if isinstance(known, Mapping) else 0
    return _Channel(
        name,
        pixels if timed else pixels[None],
        steps if any(step is not None for step in steps) else None,
        bits if np.dtype(pixels.dtype).kind == "u" else 0,
    )


def _spacing(metadata: Mapping[str, Any], dimensions: int) -> Iterator[float | None]:
    scale = metadata.get("scale")
    units = metadata.get("units")
    if scale is None or units is None:
        yield from [None] * dimensions
        return
    units = [units] * dimensions if isinstance(units, str) else units
    for step, unit in zip(scale, units, strict=True):
        yield in_micrometers(float(step), str(unit))


def _taken(scene: Sequence[_Channel]) -> TakenScene:
    """Return a scene as files have them, which its metadata are made from."""
    first = scene[0]
    times, *shape = first.pixels.shape
    axes = "ZYX"[-len(shape) :]
    steps = zip(axes, first.spacing_um or (), strict=False)
    described = Scene(
        first.name,
        (times, len(scene), *shape),
        f"TC{axes}",
        np.dtype(first.pixels.dtype),
        first.pixels.__getitem__,
        {axis: step for axis, step in steps if step is not None},
        [channel.name for channel in scene],
        first.bits,
    )
    return TakenScene(described, range(times), range(len(scene)))
