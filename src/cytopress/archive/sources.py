"""Sources of an archive: image files and folders, opened scene by scene, loaded plane by plane."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cytopress.archive.plan import ImagePlan
from cytopress.archive.wanted import Layout
from cytopress.archive.wells import Placed, placed
from cytopress.archive.zarr_sources import images_of
from cytopress.errors import CytopressError, CytopressWarning, ImageError, UsageError
from cytopress.figures import count_text
from cytopress.files.cyto_file import is_cyto
from cytopress.files.cyto_scenes import open_cyto_scenes
from cytopress.files.find import find_coded, find_images, stem
from cytopress.formats.opening import is_zarr, open_scenes
from cytopress.formats.remote import check_reached, is_remote, path_of, remote_sizes
from cytopress.formats.scene import Index, Scene
from cytopress.image import Pixels

ENDING = ".ome.zarr"


@dataclass(frozen=True, kw_only=True)
class Source:
    """An image file or a group of an OME-Zarr folder, and what it becomes.

    Parameters
    ----------
    path : Path
        The file or group.
    name : str
        What no other source of the archive has: its path in it, without an ending.
    parts : tuple of Path
        Files of its further channels.
    channels : tuple of str
        Names of the channels where each has a file of its own.
    within : bool
        Whether it lies in another image or a plate, and so has no ending of its own.
    well : str
        The well that it is a field of, such as ``plate.ome.zarr/A/1``; "" for none, and where a
        plate's own layout says it.
    labels : bool
        Whether these are the labels of another image.
    """

    path: Path
    name: str
    parts: tuple[Path, ...] = ()
    channels: tuple[str, ...] = ()
    within: bool = False
    well: str = ""
    labels: bool = False

    @classmethod
    def of(cls, image: ImagePlan) -> Source:
        """Return the source of an image of a plan."""
        return cls(
            path=path_of(image.source),
            name=image.source_name,
            parts=tuple(map(path_of, image.parts)),
        )

    @property
    def identity(self) -> tuple[int, int]:
        """Size in bytes, and the newest time of a change in nanoseconds."""
        size, newest = 0, 0
        for path in (self.path, *self.parts):
            if is_remote(path):
                every = [(size, newest), *remote_sizes(path).values()]
                size, newest = sum(one for one, _ in every), max(time for _, time in every)
                continue
            for file in path.rglob("*") if path.is_dir() else (path,):
                if not file.is_dir():
                    found = file.stat()
                    size, newest = size + found.st_size, max(newest, found.st_mtime_ns)
        return size, newest


def find_sources(
    paths: Sequence[Path], out: str, layout: Layout = "images"
) -> tuple[list[Source], list[str]]:
    """Return the sources in files and folders, and sentences on what is left out.

    Raises
    ------
    UsageError
        There is no image, two would have one name in the archive, or, for the layout of a plate, a
        name holds no well.
    """
    paths = [path_of(one) for one in paths]
    files: dict[str, Path] = {}
    notes: list[str] = []
    for path in paths:
        for name, one in _files(path, out, notes):
            if files.setdefault(name, one) != one:
                raise UsageError(
                    f"{files[name]} and {one} would both be {name} in the archive; rename one."
                )
    if not files:
        raise UsageError(
            f"{', '.join(map(str, paths))}: there is no image to archive; TIFF, PNG, OME-Zarr and"
            " .cyto files are, and what bioio's plugins read (extra io)."
        )
    if layout == "plate":
        root = paths[0].name if paths[0].is_dir() else paths[0].resolve().parent.name
        return [_of_well(one, files) for one in placed(list(files), root)], notes
    sources: dict[str, Source] = {}
    for source in (one for name, path in files.items() for one in _within(name, path)):
        other = sources.setdefault(source.name.casefold(), source)
        if other.path != source.path:
            raise UsageError(
                f"{other.path} and {source.path} would both be {source.name}{ENDING} in the"
                " archive; rename one."
            )
    return list(sources.values()), notes


def _files(path: Path, out: str, notes: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield the image and .cyto files and OME-Zarr folders of a source, by their path within it."""
    check_reached(path)
    if not path.is_dir() or is_zarr(path):
        yield path.resolve().name, path
        return
    # An archive in a bucket lies in no folder of the disk, and nobody needs an extra to say so.
    without = path_of(out) if is_remote(path) else Path(out)
    found = find_images(path, without=without)
    yield from found.sources.items()
    # Beside the image that it was coded from, a file is a copy of it.
    there = {stem(key) for key in found.sources}
    coded = find_coded(path, without=without).sources
    coded = {key: one for key, one in coded.items() if stem(key) not in there}
    yield from coded.items()
    others = [key for key in found.others if key not in coded]
    notes += [f"{path / key}: {why}." for key, why in found.unreadable.items()]
    if others:
        shown = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        count = count_text(len(others), "other file")
        notes.append(f"{path}: left out {count} ({shown}).")


def _of_well(one: Placed, files: dict[str, Path]) -> Source:
    first, *others = (files[name] for name in one.names)
    return Source(
        path=first,
        name=stem(one.names[0]),
        parts=tuple(others),
        channels=one.channels,
        well=one.well,
    )


def _within(name: str, path: Path) -> Iterator[Source]:
    """Yield the images of a file: one, or those of an OME-Zarr folder."""
    name = stem(name)
    if not path.is_dir():
        yield Source(path=path, name=name)
        return
    try:
        images = list(images_of(path))
    # Whoever opens it learns why it cannot be read.
    except Exception:  # noqa: BLE001
        images = []
    if not images:
        yield Source(path=path, name=name)
    for one in images:
        if ".." in Path(one.inside).parts or Path(one.inside).is_absolute():
            raise UsageError(f"{path}: it names an image outside of it, {one.inside!r}.")
        # Images of a collection become neighbors, whose labels lie in them.
        scene, _, rest = one.inside.partition("/")
        if scene.isdecimal():
            inside = f"{name}_{scene}" + (f"{ENDING}/{rest}" if rest else "")
        else:
            inside = f"{name}{ENDING}/{one.inside}" if one.inside else name
        yield Source(
            path=path / one.inside,
            name=inside,
            within=inside.startswith(f"{name}{ENDING}/") or bool(rest),
            labels=one.labels,
        )


@contextmanager
def opened(source: Source, axes: str | None) -> Iterator[list[Scene]]:
    """Open a source; scenes that cannot be read raise when they are asked for."""
    with ExitStack() as stack:
        paths = (source.path, *source.parts)
        found = [stack.enter_context(_opened(path, axes)) for path in paths]
        yield found[0] if len(paths) == 1 else [_joined(source, found)]


def _opened(path: Path, axes: str | None) -> AbstractContextManager[list[Scene]]:
    # Its images have their axes.
    return open_cyto_scenes(path) if is_cyto(path) else open_scenes(path, axes)


def _joined(source: Source, files: Sequence[Sequence[Scene]]) -> Scene:
    """Return one scene whose channels are the only channel of each file."""
    scenes = [scenes[0] for scenes in files]
    first = scenes[0]
    for path, one, every in zip((source.path, *source.parts), scenes, files, strict=True):
        if one.fault is not None:
            raise one.fault
        same = (one.axes, one.shape, one.dtype) == (first.axes, first.shape, first.dtype)
        if len(every) != 1 or one.length("C") != 1 or not same:
            raise ImageError(
                f"{path}: must be one channel of the same form as {source.path}: with the layout of"
                " a plate, files of one field that differ by the channel in their names are joined."
            )

    def load(index: Index) -> Pixels:
        # A scene of one channel may have the axis already.
        channel = index[0]
        assert isinstance(channel, int)
        return scenes[channel].load(index[1:])

    axes = first.axes.replace("C", ".")
    return replace(
        first,
        shape=(len(scenes), *first.shape),
        axes=f"C{axes}",
        load=load,
        channels=source.channels,
        check_planes=None,
        count_missing=None,
        metadata=None,
    )


def load(
    scene: Scene,
    t: int,
    c: int,
    planes: range,
    rows: slice = slice(None),
    columns: slice = slice(None),
) -> Pixels:
    """Return planes of one channel and time, or a part of each; shape (Z, Y, X).

    What there is to say of a source was said when it was inspected, so nothing is warned of.

    Raises
    ------
    CytopressError
        The file is damaged, or a plane has no data.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CytopressWarning)
        return np.stack([_plane(scene, t, c, z, rows, columns) for z in planes])


def _plane(scene: Scene, t: int, c: int, z: int, rows: slice, columns: slice) -> Pixels:
    at: dict[str, int | slice] = {"T": t, "C": c, "Z": z, "Y": rows, "X": columns}
    if scene.check_planes is not None:
        whole = at | {"Y": slice(None), "X": slice(None)}
        scene.check_planes(tuple(whole.get(one, 0) for one in scene.axes), scene.axes)
    plane = scene.load(tuple(at.get(letter, 0) for letter in scene.axes))
    return plane if scene.axes.index("Y") < scene.axes.index("X") else plane.T


def check_unchanged(images: Iterable[ImagePlan]) -> None:
    """Raise UsageError if a source is not as it was when its plan was made."""
    for image in images:
        source = Source.of(image)
        try:
            identity = source.identity
        except OSError as error:
            raise UsageError(f"{source.path}: cannot be read ({error.strerror}).") from error
        if identity != image.identity:
            raise UsageError(
                f"{source.path}: has changed since the plan was made; plan into a new folder."
            )


def checked(scene: Scene) -> Scene:
    """Return a scene that can be archived; raise the reason if it cannot."""
    if scene.fault is not None:
        raise scene.fault
    return scene


def reason(error: CytopressError, path: Path) -> str:
    """Return an error about a file without its path."""
    return str(error).removeprefix(f"{path}: ")
