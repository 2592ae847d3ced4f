"""Fields of a file or folder: the planes that a quick look reads, sorted by their channel."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cytopress.errors import UsageError
from cytopress.formats import ome_zarr, png, tiff
from cytopress.formats.images import read_one
from cytopress.formats.opening import open_scenes
from cytopress.formats.scene import Scene
from cytopress.formats.selection import Selection, coordinates
from cytopress.image import Image

SUFFIXES = (*tiff.SUFFIXES, *png.SUFFIXES)
# More fields of a folder are sampled evenly: each is read whole.
MOST_FIELDS = 12
# What follows may end the name of a channel: "_ch2", "-w1", "_C01", or a word of letters: "_DAPI".
CHANNEL = re.compile(r"(?<![A-Za-z0-9])((?:channel|ch|c|w)\d+|[A-Za-z]{2,})(?=[^/]*$)", re.I)


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
    path: Path, *, axes: str | None = None, select: Selection | None = None
) -> dict[str, list[PlaneSource]]:
    """Return the fields of each channel by the channel's name, "" for the only one.

    Of a stack the middle plane is taken, of a time series the first time, of several scenes the
    first. Files of a folder belong to one channel where their names say so.

    Raises
    ------
    UsageError
        There is no such file, no image in the folder, or the selection is not in the file.
    ImageError
        A file cannot be read, or holds color.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder.")
    if path.is_dir() and not ome_zarr.is_zarr(path):
        return _of_folder(path, axes, select or {})
    return {name: [plane] for name, plane in _of_file(path, axes, select or {}).items()}


def _of_folder(folder: Path, axes: str | None, select: Selection) -> dict[str, list[PlaneSource]]:
    files = _image_files(folder)
    if not files:
        raise UsageError(f"{folder}: has no TIFF, PNG or OME-Zarr images; name a file or a folder.")
    names = _file_channels(files)
    found: dict[str, list[PlaneSource]] = defaultdict(list)
    for name in dict.fromkeys(names):
        same = [file for file, other in zip(files, names, strict=True) if other == name]
        for file in _spread(same):
            for channel, plane in _of_file(file, axes, select).items():
                found[" ".join(filter(None, (name, channel)))].append(plane)
    return dict(found)


def _image_files(folder: Path) -> list[Path]:
    """Return the images in a folder and the folders in it, sorted by name; of Zarr the folders."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            found += [path] if ome_zarr.is_zarr(path) else _image_files(path)
        elif path.suffix.lower() in SUFFIXES:
            found.append(path)
    return found


def _file_channels(files: Sequence[Path]) -> list[str]:
    """Return the channel of each file by the part of its name that tells channels apart.

    Every file needs such a part, and there must be fewer kinds than files: else all are one.
    """
    parts = [CHANNEL.findall(file.stem.removesuffix(".ome")) for file in files]
    names = [found[-1] if found else "" for found in parts]
    kinds = set(names)
    return names if "" not in kinds and 1 < len(kinds) <= len(files) // 2 else [""] * len(files)


def _spread(files: Sequence[Path]) -> list[Path]:
    step = max(1.0, len(files) / MOST_FIELDS)
    return [files[int(number * step)] for number in range(min(len(files), MOST_FIELDS))]


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
