"""Read and write image files as `Image`, whatever their format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from cytopress.atomic import atomic_file
from cytopress.errors import ImageError, UsageError
from cytopress.formats import png, tiff
from cytopress.formats.image_file import read_image
from cytopress.formats.ome_tiff import write_ome_tiff
from cytopress.formats.opening import open_scenes
from cytopress.formats.scene import Scene, take_pixels, taken_shape
from cytopress.formats.selection import Selection, coordinates, describe, label
from cytopress.image import Image, Labels

PNG_DTYPES = ("uint8", "uint16")


def read(
    path: Path | str, *, axes: str | None = None, select: Selection | None = None
) -> list[Image]:
    """Read every image in an image file: one for each channel, time point and scene.

    Formats, parameters, names and errors are those of `cytopress.read`, which reads .cyto files
    as well.
    """
    return _read(Path(path), axes, select or {}, one=False)


def read_one(
    path: Path | str,
    *,
    axes: str | None = None,
    select: Selection | None = None,
    of_dataset: bool = False,
) -> Image:
    """Read the only image of a file or of a selection; otherwise like `read`.

    An image ``of_dataset`` has its bits, name and pixel size from there, so for a plane there are
    no notes on the file's own metadata; a plane without data is an error.

    Raises
    ------
    UsageError
        There are several images: the message lists them. No pixel is loaded in this case.
    """
    return _read(Path(path), axes, select or {}, one=True, of_dataset=of_dataset)[0]


def _read(
    path: Path, axes: str | None, select: Selection, *, one: bool, of_dataset: bool = False
) -> list[Image]:
    with open_scenes(path, axes) as scenes:
        places = coordinates(scenes, select)
        if one and len(places) > 1:
            _refuse_several(path, scenes, places)
        keep_z = "Z" in (axes or "")
        return [read_image(path, scenes, at, keep_z=keep_z, of_dataset=of_dataset) for at in places]


def read_shape(
    path: Path | str, *, axes: str | None = None, select: Selection | None = None
) -> tuple[int, ...]:
    """Return the shape of the image that `read_one` would read, without loading it."""
    path = Path(path)
    with open_scenes(path, axes) as scenes:
        places = coordinates(scenes, select or {})
        if len(places) > 1:
            _refuse_several(path, scenes, places)
        at = places[0]
        return taken_shape(scenes[at["S"]], at, keep_z="Z" in (axes or ""))


def read_labels(path: Path | str, *, axes: str | None = None) -> Labels:
    """Read a label image: integers of any width, 0 for the background.

    Raises
    ------
    UsageError, ImageError
        As in `read_one`; also an ImageError where the pixels are not integers.
    """
    path = Path(path)
    with open_scenes(path, axes) as scenes:
        places = coordinates(scenes, {})
        if len(places) > 1:
            _refuse_several(path, scenes, places)
        scene = scenes[places[0]["S"]]
        if scene.dtype.kind not in "ui":
            raise ImageError(f"{path}: labels must be integers, not {scene.dtype.name}.")
        if scene.zero_is_white:
            raise ImageError(
                f"{path}: labels are numbers, but 0 means white in this file (MINISWHITE), so it is"
                " in doubt which number is the background; write it with 0 as black."
            )
        return take_pixels(scene, places[0], keep_z="Z" in (axes or ""))


def _refuse_several(path: Path, scenes: list[Scene], places: list[dict[str, int]]) -> NoReturn:
    scene = scenes[places[0]["S"]]
    hint = ""
    if scene.length("T") > 1 and scene.length("Z") == 1:
        named = scene.axes.replace(".", "").replace("T", "Z")
        hint = f" If T is depth, say so with --axes {named}."
    raise UsageError(
        f"{path}: one image is needed, but the file has {len(places)}: {describe(scenes)};"
        f" choose one, such as --select {label(scenes, places[0])}.{hint}"
    )


def write(path: Path | str, images: Sequence[Image]) -> None:
    """Write images to one file, whole or not at all.

    ``.tif`` and ``.tiff`` are OME-TIFF with axes, spacing, names and significant bits, compressed
    losslessly (deflate); several images, equal in all but pixels and names, become its channels.
    ``.png`` stores one plane of integers, and its pixels only.

    Raises
    ------
    UsageError
        The suffix is another one, the folder does not exist, or the format cannot hold the images.
    ImageError
        The file cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> image = cytopress.Image(np.eye(40, dtype=np.uint8), spacing_um=(0.65, 0.65))
    >>> cytopress.write("cells.ome.tif", [image])
    >>> cytopress.read("cells.ome.tif")[0] == image
    True
    """
    path = Path(path)
    check_written(path)
    if not images:
        raise UsageError(f"{path}: there is no image to write.")
    with written_file(path) as temporary:
        if path.suffix.lower() in png.SUFFIXES:
            _write_png(path, temporary, images)
        else:
            _write_tiff(path, temporary, images)


def check_written(path: Path) -> None:
    """Refuse a name of no format that images are written in, and a folder that does not exist.

    Raises
    ------
    UsageError
        Its suffix is another one, or the folder does not exist.
    """
    suffix = path.suffix.lower()
    if suffix not in (*tiff.WRITTEN, *png.SUFFIXES):
        raise UsageError(
            f"{path}: images can be written as .ome.tif, .tif or .png, not {suffix!r}."
        )
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: there is no such folder.")


@contextmanager
def written_file(path: Path) -> Iterator[Path]:
    """Give a temporary name for an image file that appears whole or not at all.

    Raises
    ------
    ImageError
        It cannot be written.
    """
    try:
        with atomic_file(path) as temporary:
            yield temporary
    except OSError as error:
        raise ImageError(f"{path}: cannot be written ({error.strerror or error}).") from error


def _write_png(path: Path, temporary: Path, images: Sequence[Image]) -> None:
    image = images[0]
    if len(images) > 1 or image.axes != "YX" or image.dtype.name not in PNG_DTYPES:
        raise UsageError(
            f"{path}: a PNG file takes one plane of uint8 or uint16, not {len(images)} x {image!r};"
            " write .ome.tif instead."
        )
    png.write_png(temporary, image)


def _write_tiff(path: Path, temporary: Path, images: Sequence[Image]) -> None:
    first = images[0]
    for image in images[1:]:
        if (image.axes, image.shape, image.dtype, image.bits, image.spacing_um) != (
            first.axes, first.shape, first.dtype, first.bits, first.spacing_um,
        ):  # fmt: skip
            raise UsageError(
                f"{path}: the images of one file must have the same form: {first!r}, {image!r}."
            )
    write_ome_tiff(temporary, images)
