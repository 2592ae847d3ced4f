"""An image file opened once: its images listed with their places, read one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cytopress.errors import ImageError
from cytopress.formats.ome_document import StoredDocument, TakenScene, stored_document
from cytopress.formats.opening import open_scenes
from cytopress.formats.scene import Scene, check_dtype, take
from cytopress.formats.selection import Selection, coordinates, describe, label
from cytopress.image import Image

Coordinates = Mapping[str, int]


@dataclass(frozen=True)
class Place:
    """Where an image is among those that are taken of a file: numbers from 0.

    ``label`` is its selection in the file, such as ``C=DAPI,T=3`` ("" for the only image);
    ``channel_name`` the name of its channel, or the number.
    """

    scene: int
    time: int
    channel: int
    label: str
    channel_name: str


@dataclass(frozen=True)
class ImageFile:
    """The selected images of a file; `open_images` opens it.

    Parameters
    ----------
    path : Path
        The file.
    places : sequence of Place
        By scene, then time, then channel.
    taken : sequence of TakenScene
        The scenes that they are of.
    """

    path: Path
    places: Sequence[Place]
    taken: Sequence[TakenScene]
    _scenes: Sequence[Scene]
    _coordinates: Sequence[Coordinates]
    _keep_z: bool

    def read(self, number: int) -> Image:
        """Load one image, named by its label, its channel or the file."""
        at = self._coordinates[number]
        return read_image(self.path, self._scenes, at, keep_z=self._keep_z)

    def document(self) -> StoredDocument:
        """Return the OME-XML of the images that are selected."""
        return stored_document(self.taken)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Time points and channels of each scene."""
        return [(len(one.times), len(one.channels)) for one in self.taken]

    def describe(self) -> str:
        """Describe what the file has, selected or not, in a few words."""
        return describe(self._scenes)


@contextmanager
def open_images(
    path: Path, *, axes: str | None = None, select: Selection | None = None
) -> Iterator[ImageFile]:
    """Open a file and list its images; they can be loaded inside the block.

    Parameters and errors are those of `images.read`.
    """
    with open_scenes(path, axes) as scenes:
        at = coordinates(scenes, select or {})
        for number in {one["S"] for one in at}:
            check_dtype(scenes[number])
        keep_z = "Z" in (axes or "")
        places, taken = take_places(scenes, at)
        yield ImageFile(path, places, taken, scenes, at, keep_z)


def read_image(
    path: Path,
    scenes: Sequence[Scene],
    at: Coordinates,
    *,
    keep_z: bool,
    of_dataset: bool = False,
) -> Image:
    """Load the image at these coordinates; for ``of_dataset`` see `images.read_one`."""
    scene = scenes[at["S"]]
    check_dtype(scene, of_dataset=of_dataset)
    place = label(scenes, at)
    names = [name.strip() for name in scene.channels]
    lone = names[0] if len(names) == 1 and names[0] else path.stem.removesuffix(".ome")
    try:
        return take(scene, at, keep_z=keep_z, name=place or lone, of_dataset=of_dataset)
    except ImageError as error:
        if str(error).startswith(str(path)):
            raise
        raise ImageError(f"{path}: {error}") from error


def take_places(
    scenes: Sequence[Scene], at: Sequence[Coordinates]
) -> tuple[list[Place], list[TakenScene]]:
    """Return the places of images at these coordinates, and what is taken of each scene."""
    places: list[Place] = []
    taken: list[TakenScene] = []
    for number, group in itertools.groupby(at, key=lambda one: one["S"]):
        scene, of_scene = scenes[number], list(group)
        times = {t: at for at, t in enumerate(dict.fromkeys(one["T"] for one in of_scene))}
        channels = {c: at for at, c in enumerate(dict.fromkeys(one["C"] for one in of_scene))}
        places += [
            Place(
                len(taken),
                times[one["T"]],
                channels[one["C"]],
                label(scenes, one),
                scene.channel_name(one["C"]),
            )
            for one in of_scene
        ]
        taken.append(TakenScene(scene, list(times), list(channels), of_scene[0].get("Z")))
    return places, taken
