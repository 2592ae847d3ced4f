"""Read OME-Zarr folders (0.4 in zarr v2, 0.5 in zarr v3), each scene at full resolution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cytopress.errors import ImageError
from cytopress.formats.remote import zarr_place
from cytopress.formats.scene import Index, Scene, SourceMetadata
from cytopress.formats.units import plain_unit, read_size
from cytopress.formats.zarr_chunks import Chunks
from cytopress.formats.zarr_metadata import attribute_metadata, collection_metadata
from cytopress.image import Pixels

if TYPE_CHECKING:
    import zarr

MARKERS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


def is_zarr(path: Path) -> bool:
    """Return whether a folder is a zarr group or array."""
    return any((path / marker).is_file() for marker in MARKERS)


@contextmanager
def open_zarr(path: Path) -> Iterator[list[Scene]]:
    """Open an OME-Zarr image, a collection of them, or a bare zarr array."""
    import zarr

    node = zarr.open(zarr_place(path), mode="r")
    if isinstance(node, zarr.Array):
        names = getattr(node.metadata, "dimension_names", None) or ()
        yield [_scene(path, node, _letters(names, node.ndim))]
        return
    metadata = _metadata(node)
    if "plate" in metadata:
        raise ImageError(f"{path}: this is a plate; give one field of it, such as {path}/A/1/0.")
    if "multiscales" in metadata:
        yield [_multiscale(path, node, 0)]
        return
    names = sorted((name for name, _ in node.groups() if name.isdecimal()), key=int)
    groups = [group for name in names if isinstance(group := node[name], zarr.Group)]
    groups = [group for group in groups if "multiscales" in _metadata(group)]
    if not groups:
        raise ImageError(f"{path}: the folder holds no OME-Zarr image.")
    yield [_multiscale(path, group, number) for number, group in enumerate(groups)]


def _metadata(group: zarr.Group) -> dict[str, Any]:
    metadata = group.attrs.asdict()
    # Version 0.5 moved all metadata under one key.
    inner = metadata.get("ome", metadata)
    return dict(inner) if isinstance(inner, Mapping) else {}


def _letters(names: Sequence[Any], dimensions: int) -> str:
    letters = [str(name or "?").upper() for name in names]
    letters = [letter if letter in "TCZYX" else "?" for letter in letters]
    return "".join(letters) if len(letters) == dimensions else "?" * dimensions


def _multiscale(path: Path, group: zarr.Group, number: int) -> Scene:
    import zarr

    metadata = _metadata(group)
    scales = metadata["multiscales"][0]
    level = scales["datasets"][0]
    array = group.get(level["path"])
    if array is None:
        raise ImageError(
            f"{path}: the metadata name the array {level['path']!r}, which is not there; copy the"
            " image again."
        )
    if not isinstance(array, zarr.Array):
        raise ImageError(f"{path}: {level['path']!r} must be an array, but is a group.")
    axes = scales.get("axes")
    # Before version 0.3 the axes were always these five.
    axes = list("tczyx") if axes is None else axes
    axes = [axis if isinstance(axis, Mapping) else {"name": axis} for axis in axes]
    letters = _letters([axis.get("name") for axis in axes], array.ndim)
    scale = _scale(level, scales, array.ndim)
    spacing, notes = _spacing(letters, axes, scale)
    channels = metadata.get("omero", {}).get("channels", ())
    names = tuple(str(channel.get("label", "")) for channel in channels)
    lengths = dict(zip(letters, array.shape, strict=True))

    def describe() -> SourceMetadata:
        found = collection_metadata(path, number)
        if found is None and path.name.isdecimal():
            found = collection_metadata(path.parent, int(path.name))
        if found is not None:
            return found
        at = letters.find("T")
        known = scale is not None and at >= 0 and scale[at] != 1
        interval = (scale[at], str(axes[at].get("unit") or "")) if scale and known else None
        return attribute_metadata(metadata, lengths, spacing, number=number, interval=interval)

    found = _scene(path, array, letters, spacing, names, notes)
    if "image-label" in metadata:
        # Of a picture without objects no chunk is written.
        found = replace(found, load=lambda index: np.asarray(array[index]), check_planes=None,
                        count_missing=None)  # fmt: skip
    return replace(found, metadata=describe)


def _scale(level: Any, scales: Any, dimensions: int) -> list[float] | None:
    """Return the product of the scale transformations; None where there is none."""
    given = [
        np.asarray(transformation["scale"], dtype=float)
        for place in (level, scales)
        for transformation in place.get("coordinateTransformations", ())
        if transformation.get("type") == "scale"
    ]
    product: list[float] = np.prod([np.ones(dimensions), *given], axis=0).tolist()
    return product if given else None


def _spacing(
    letters: str, axes: Sequence[Mapping[str, Any]], scale: Sequence[float] | None
) -> tuple[dict[str, float], list[str]]:
    """Return micrometers along each axis, and why those that are given cannot be used."""
    spacing: dict[str, float] = {}
    notes = []
    for letter, axis, size in zip(letters, axes, scale or (), strict=scale is not None):
        if letter not in "ZYX":
            continue
        micrometers, note = read_size(size, axis.get("unit"), letter)
        if micrometers is not None:
            spacing[letter] = micrometers
        elif note:
            notes.append(note)
        elif not plain_unit(axis.get("unit")) and size != 1:
            notes.append(f"the scale of {letter}, {size:g}, has no unit")
    return spacing, notes


def _scene(
    path: Path,
    array: zarr.Array[Any],
    axes: str,
    spacing: Mapping[str, float] | None = None,
    channels: tuple[str, ...] = (),
    notes: Sequence[str] = (),
) -> Scene:
    chunks = Chunks(path, array)

    def load(index: Index) -> Pixels:
        chunks.warn_of_missing(index)
        return np.asarray(array[index])

    return Scene(
        str(path),
        array.shape,
        axes,
        np.dtype(array.dtype),
        load,
        dict(spacing or {}),
        channels,
        notes=notes,
        check_planes=chunks.check_planes,
        count_missing=chunks.count_missing,
    )
