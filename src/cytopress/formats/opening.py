"""Open a file by its kind, and turn whatever goes wrong into one clear error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from cytopress.errors import CytopressError, ImageError, UsageError
from cytopress.formats import ome_zarr, png, tiff
from cytopress.formats.plugins import open_plugin
from cytopress.formats.scan import Scan, with_axes

Opener = Callable[[Path], AbstractContextManager[list[Scan]]]


@contextmanager
def open_scans(path: Path, axes: str | None) -> Iterator[list[Scan]]:
    """Scan the scenes of a file; their pixels can be loaded inside the block.

    Raises
    ------
    UsageError
        There is no such file, or its axes must be named.
    ImageError
        The file is damaged, on opening or inside the block.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no such file.")
    try:
        with _opener(path)(path) as scans:
            yield [with_axes(scan, axes) for scan in scans]
    except CytopressError:
        raise
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except MemoryError as error:
        raise ImageError(f"{path}: is too large for this machine's memory.") from error
    # Each library breaks on a damaged file in its own ways: KeyError, struct.error, zlib.error...
    except Exception as error:
        raise ImageError(
            f"{path}: the file is damaged or not of the form that its name says"
            f" ({type(error).__name__}: {error})."
        ) from error


def _opener(path: Path) -> Opener:
    if path.is_dir():
        if not ome_zarr.is_zarr(path):
            raise UsageError(f"{path}: this folder is not an OME-Zarr image; name a file in it.")
        return ome_zarr.open_zarr
    suffix = path.suffix.lower()
    if suffix in tiff.SUFFIXES:
        return tiff.open_tiff
    return png.open_png if suffix in png.SUFFIXES else open_plugin
