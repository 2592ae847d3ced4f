"""Sources of an archive: image files and folders, opened scene by scene, loaded plane by plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytopress.errors import CytopressError, UsageError
from cytopress.files.find import find_images
from cytopress.formats.opening import open_scenes
from cytopress.formats.scene import Scene, take_pixels
from cytopress.image import Pixels

ENDINGS = (".ome.zarr", ".ome.tiff", ".ome.tif")


@dataclass(frozen=True)
class Source:
    """A file or OME-Zarr folder, and its path in the archive without an ending."""

    path: Path
    name: str

    @property
    def identity(self) -> tuple[int, int]:
        """Size in bytes, and the newest time of a change in nanoseconds."""
        files = [self.path]
        if self.path.is_dir():
            files = [one for one in self.path.rglob("*") if one.is_file()]
        found = [one.stat() for one in files]
        return sum(one.st_size for one in found), max(one.st_mtime_ns for one in found)


def find_sources(paths: Sequence[Path], out: Path) -> tuple[list[Source], list[str]]:
    """Return the sources in files and folders, and sentences on what is left out.

    Raises
    ------
    UsageError
        There is no image, or two would have one name in the archive.
    """
    sources, notes = [], []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder.")
        if not path.is_dir() or _is_image(path):
            sources.append(Source(path, _without_ending(path.name)))
            continue
        found = find_images(path, without=out.resolve())
        sources += [Source(one, _without_ending(key)) for key, one in found.sources.items()]
        notes += [f"{path / key}: {why}." for key, why in found.unreadable.items()]
        if found.others:
            shown = ", ".join(found.others[:3]) + (", ..." if len(found.others) > 3 else "")
            notes.append(f"{path}: {len(found.others)} other files are left out ({shown}).")
    if not sources:
        raise UsageError(f"{', '.join(map(str, paths))}: there is no image to archive.")
    names: dict[str, Path] = {}
    for source in sources:
        other = names.setdefault(source.name.casefold(), source.path)
        if other != source.path:
            raise UsageError(
                f"{other} and {source.path} would both be {source.name}.ome.zarr in the archive;"
                " rename one."
            )
    return sources, notes


@contextmanager
def opened(path: Path, axes: str | None) -> Iterator[list[Scene]]:
    """Open a source; scenes that cannot be read raise when they are asked for."""
    with open_scenes(path, axes) as scenes:
        yield scenes


def load(scene: Scene, t: int, c: int, planes: range) -> Pixels:
    """Return planes of one channel and time, shape (Z, Y, X).

    Raises
    ------
    CytopressError
        The file is damaged, or a plane has no data.
    """
    at = {"T": t, "C": c}
    return np.stack([take_pixels(scene, at | {"Z": z}, keep_z=False, whole=True) for z in planes])


def checked(scene: Scene) -> Scene:
    """Return a scene that can be archived; raise the reason if it cannot."""
    if scene.fault is not None:
        raise scene.fault
    return scene


def reason(error: CytopressError, path: Path) -> str:
    """Return an error about a file without its path."""
    return str(error).removeprefix(f"{path}: ")


def _is_image(path: Path) -> bool:
    from cytopress.formats.ome_zarr import is_zarr

    return is_zarr(path)


def _without_ending(key: str) -> str:
    lower = key.lower()
    for ending in ENDINGS:
        if lower.endswith(ending):
            return key[: -len(ending)]
    return str(Path(key).with_suffix("")).replace("\\", "/")
