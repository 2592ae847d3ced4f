"""Images of one file of a folder, known from its metadata: channels, time points, positions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from cytopress.datasets.image_names import NameParts
from cytopress.errors import ImageError
from cytopress.formats.images import read
from cytopress.formats.opening import open_scenes
from cytopress.formats.scene import Scene, check_dtype, taken_shape
from cytopress.formats.selection import coordinates, label
from cytopress.image import Axes, Spacing


@dataclass(frozen=True, kw_only=True)
class FolderImage:
    """One image of a folder.

    Parameters
    ----------
    path : Path
        The file.
    name, stem : str
        The file's name in the folder, and that without its channel.
    field, channel, group : str
        What the image shows; ``field`` is the stem with the place in the file.
    select : str
        The selection in the file, "" for its only image.
    scene : int
        The number of the position in the file.
    time : int
        The time point.
    axes, dtype, bits : str, str, int
        The form of the pixels; ``bits`` are all of the dtype where the file does not say.
    spacing_um : tuple, optional
        Along each axis, None where the file does not say it.
    """

    path: Path
    name: str
    stem: str
    field: str
    channel: str
    group: str = ""
    select: str
    scene: int
    time: int
    axes: Axes
    dtype: str
    bits: int
    spacing_um: Spacing | None

    @property
    def place(self) -> tuple[Path, int, int]:
        """The file, position and time point."""
        return self.path, self.scene, self.time


def images_of(
    path: Path, name: str, part: NameParts, *, axes: str | None, whole: bool
) -> list[FolderImage]:
    """Return the images of a file.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Its name in the folder.
    part : NameParts
        Its field and channel; a file with several channels has its own.
    axes : str, optional
        Where the metadata lack them.
    whole : bool
        Read all pixels too, so that damaged ones are found.

    Raises
    ------
    ImageError, UsageError, NotAvailableError
        It cannot be read, as of `cytopress.read`.
    """
    with warnings.catch_warnings():
        # They come again when the pixels are read.
        warnings.simplefilter("ignore")
        with open_scenes(path, axes) as scenes:
            places = coordinates(scenes, {})
            for at in places:
                check_dtype(scenes[at["S"]], of_dataset=True)
            found = [_image(path, name, part, scenes, at, axes) for at in places]
            colored = any(scenes[at["S"]].color for at in places)
        # Only its pixels say whether an image stored as color is gray.
        if whole or colored:
            read(path, axes=axes)
    if not found:
        raise ImageError(f"{path}: there is no image in this file.")
    return found


def _image(
    path: Path,
    name: str,
    part: NameParts,
    scenes: list[Scene],
    at: dict[str, int],
    axes: str | None,
) -> FolderImage:
    scene = scenes[at["S"]]
    shape = taken_shape(scene, at, keep_z="Z" in (axes or ""))
    letters: Axes = "ZYX" if len(shape) == 3 else "YX"
    several = scene.length("C") > 1
    channel = part.channel
    if several:
        named = scene.channel_name(at["C"])
        channel = f"C{named}" if named.isdecimal() else named.replace("/", "-")
        channel = f"{part.channel}-{channel}" if part.channel else channel
    place = [
        f"{letter}={at[letter]}"
        for letter, length in (("S", len(scenes)), ("T", scene.length("T")))
        if length > 1
    ]
    spacing = tuple(scene.spacing_um.get(letter) for letter in letters)
    full = scene.dtype.itemsize * 8
    return FolderImage(
        path=path,
        name=name,
        stem=part.field,
        field=",".join([part.field, *place]),
        channel=channel,
        select=label(scenes, at),
        scene=at["S"],
        time=at["T"],
        axes=letters,
        dtype=scene.dtype.name,
        bits=scene.bits if scene.dtype.kind == "u" and 0 < scene.bits < full else full,
        spacing_um=spacing if any(spacing) else None,
    )
