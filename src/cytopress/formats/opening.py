"""Open an image file by its format; every failure becomes one clear error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from cytopress.errors import CytopressError, ImageError, UsageError
from cytopress.formats import ome_zarr, png, tiff
from cytopress.formats.axes import with_axes
from cytopress.formats.plugins import open_plugin
from cytopress.formats.remote import is_remote, local_file
from cytopress.formats.scene import Scene

# Formats of plugins that hold microscopy images, beside those that are read here.
PLUGIN_SUFFIXES = (
    ".czi", ".dv", ".ims", ".lif", ".lsm", ".nd2", ".oib", ".oif", ".r3d", ".sldy", ".stk", ".vsi",
    ".zvi",
)  # fmt: skip
IMAGE_SUFFIXES = (*tiff.SUFFIXES, *png.SUFFIXES, *PLUGIN_SUFFIXES)
is_zarr = ome_zarr.is_zarr
Opener = Callable[[Path], AbstractContextManager[list[Scene]]]


@contextmanager
def open_scenes(path: Path, axes: str | None) -> Iterator[list[Scene]]:
    """Open a file and describe its scenes; their pixels can be loaded inside the block.

    Raises
    ------
    UsageError
        The file does not exist. A scene whose axes must be given has this as its fault.
    ImageError
        The file is damaged, on opening or inside the block.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no such file.")
    try:
        with _on_disk(path) as file, _opener(file)(file) as scenes:
            moved = file is not path
            named = [replace(one, path=str(path)) if moved else one for one in scenes]
            yield [_with_axes(scene, axes) for scene in named]
    # Where warnings are errors, they stay what they are.
    except (CytopressError, Warning):
        raise
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except MemoryError as error:
        raise ImageError(f"{path}: the image is larger than this machine's memory.") from error
    # Each library fails on a damaged file in its own way: KeyError, struct.error, zlib.error...
    except Exception as error:
        raise ImageError(
            f"{path}: the file is damaged or not of the format that its name says"
            f" ({type(error).__name__}: {error})."
        ) from error


@contextmanager
def _on_disk(path: Path) -> Iterator[Path]:
    """Give what is opened for a path: of a file in a bucket a copy, and of a set all of its files.

    Messages name the original.
    """
    if not is_remote(path) or path.is_dir():
        yield path
        return
    with ExitStack() as held:
        file = held.enter_context(local_file(path))
        others = tiff.files_of_set(file) if path.suffix.lower() in tiff.SUFFIXES else frozenset()
        for name in others - {path.name}:
            if (path.parent / name).is_file():
                held.enter_context(local_file(path.parent / name))
        try:
            yield file
        except CytopressError as error:
            raise type(error)(str(error).replace(str(file), str(path))) from error


def _with_axes(scene: Scene, axes: str | None) -> Scene:
    """Return the scene with its axes, or with the fault that keeps it from being read."""
    try:
        return with_axes(scene, axes)
    except CytopressError as error:
        return replace(scene, fault=error)


def _opener(path: Path) -> Opener:
    if path.is_dir():
        if not is_zarr(path):
            raise UsageError(f"{path}: this folder is not an OME-Zarr image; name a file in it.")
        return ome_zarr.open_zarr
    suffix = path.suffix.lower()
    if path.name.lower().endswith(tiff.COMPANION):
        return tiff.open_companion
    if suffix in tiff.SUFFIXES:
        return tiff.open_tiff
    return png.open_png if suffix in png.SUFFIXES else open_plugin
