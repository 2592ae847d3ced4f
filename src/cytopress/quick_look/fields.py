"""Fields of a file or folder: the planes that a quick look reads, sorted by their channel."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytopress.datasets.folder_files import image_files
from cytopress.datasets.image_names import split_names
from cytopress.errors import CytopressWarning, UsageError
from cytopress.formats import ome_zarr
from cytopress.formats.images import read_one
from cytopress.formats.opening import open_scenes
from cytopress.formats.scene import Scene
from cytopress.formats.selection import Selection, coordinates
from cytopress.image import Image

# More fields of a folder are sampled evenly: each is read whole.
MOST_FIELDS = 12


@dataclass(frozen=True)
class PlaneSource:
    """One plane of a file: where it is, and which one of several it is ("" for the only one)."""

    path: Path
    axes: str | None
    select: Mapping[str, int | str]
    which: str

    def read(self) -> Image:
        """Read the plane; raises as `formats.images.read_one` does."""
        image = read_one(self.path, axes=self.axes, select=self.select)
        if image.axes == "YX":
            return image
        spacing = image.spacing_um
        return Image(
            image.pixels[len(image.pixels) // 2],
            bits=image.bits,
            spacing_um=spacing and spacing[1:],
            name=image.name,
        )


def find_channels(
    path: Path,
    *,
    axes: str | None = None,
    select: Selection | None = None,
    pattern: str | None = None,
) -> dict[str, list[PlaneSource]]:
    """Return the fields of each channel by the channel's name, "" for the only one.

    Of a stack the middle plane is taken, of a time series the first time, of several scenes the
    first. The channels of a folder's files are told from their names, or by a pattern with
    ``{channel}`` (`cytopress.datasets.name_patterns`).

    Raises
    ------
    UsageError
        There is no such file, the selection is not in it, or names do not match the pattern.
    DatasetError
        There is no image in the folder.
    ImageError
        A file cannot be read, or holds color.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder.")
    if path.suffix == ".cyto":
        raise UsageError(f"{path}: is coded already; look at its original, or decode it first.")
    if path.is_dir() and not ome_zarr.is_zarr(path):
        return _of_folder(path, axes, select or {}, pattern)
    return {name: [plane] for name, plane in _of_file(path, axes, select or {}).items()}


def _of_folder(
    folder: Path, axes: str | None, select: Selection, pattern: str | None
) -> dict[str, list[PlaneSource]]:
    files, notes = image_files(folder)
    for note in notes:
        warnings.warn(f"{folder}: {note}.", CytopressWarning, stacklevel=2)
    parts = split_names([name for name, _ in files], pattern)
    channels = [part.channel for part in parts] if parts else [""] * len(files)
    found: dict[str, list[PlaneSource]] = defaultdict(list)
    for name in dict.fromkeys(channels):
        same = [path for (_, path), other in zip(files, channels, strict=True) if other == name]
        for path in spread(same):
            for channel, plane in _of_file(path, axes, select).items():
                found[" ".join(filter(None, (name, channel)))].append(plane)
    return dict(found) if len(found) > 1 else {"": next(iter(found.values()))}


def spread(fields: Sequence[Any]) -> list[Any]:
    """Return up to ``MOST_FIELDS`` of some fields, evenly spaced."""
    step = max(1.0, len(fields) / MOST_FIELDS)
    return [fields[int(number * step)] for number in range(min(len(fields), MOST_FIELDS))]


def _of_file(path: Path, axes: str | None, select: Selection) -> dict[str, PlaneSource]:
    """Return a plane for each channel of a file, without loading pixels."""
    with open_scenes(path, axes) as scenes:
        places = coordinates(scenes, select)
        first = places[0]
        found = {}
        for at in places:
            if (at["S"], at["T"]) != (first["S"], first["T"]):
                continue
            scene = scenes[at["S"]]
            several = scene.length("C") > 1 and "C" not in select
            name = scene.channel_name(at["C"]) if several else ""
            found[name] = _plane(path, axes, scenes, at)
        return found


def _plane(
    path: Path, axes: str | None, scenes: Sequence[Scene], at: Mapping[str, int]
) -> PlaneSource:
    scene = scenes[at["S"]]
    depth = scene.length("Z")
    chosen = {"S": at["S"], "T": at["T"], "C": at["C"]} | (
        {"Z": at.get("Z", depth // 2)} if depth > 1 else {}
    )
    lengths = {"S": len(scenes), "T": scene.length("T"), "Z": depth}
    words = {"S": "scene", "T": "time", "Z": "plane"}
    shown = [
        f"{words[letter]} {chosen[letter]} of 0 to {length - 1}"
        for letter, length in lengths.items()
        if length > 1
    ]
    return PlaneSource(path, axes, chosen, ", ".join(shown))
