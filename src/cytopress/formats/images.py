"""Image files to Images and back: the only place that opens an image file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from cytopress.atomic import atomic_file
from cytopress.errors import ImageError, UsageError
from cytopress.formats import png, tiff
from cytopress.formats.ome_tiff import write_ome_tiff
from cytopress.formats.opening import open_scans
from cytopress.formats.scan import Scan, check_dtype, take, take_pixels, taken_shape
from cytopress.formats.selection import Selection, coordinates, describe, label
from cytopress.image import Image, Labels


def read(
    path: Path | str, *, axes: str | None = None, select: Selection | None = None
) -> list[Image]:
    """Read every image in a file: one for each channel, time point and scene.

    OME-TIFF, ImageJ's and plain TIFF, grey PNG and OME-Zarr; with the extra ``io``, whatever
    bioio's plugins read. Pixels come as they are stored; only the byte order is made native.

    Parameters
    ----------
    path : Path or str
        A file, or the folder of an OME-Zarr image.
    axes : str, optional
        The meaning of the file's dimensions, such as ZYX, CYX, TYX or TCZYX, where the file does
        not tell or is wrong. With Z in it, a single plane is read as a stack of one.
    select : mapping, optional
        Which to take along C, T, Z or S (scene): a number from 0, or a channel's name. Only
        what is selected is loaded from the file.

    Returns
    -------
    list of Image
        By scene, then time, then channel. An image that is not alone is named after its place,
        as in ``C=DAPI,T=3``, which a selection takes too; a lone one after its channel or file.

    Raises
    ------
    UsageError
        There is no such file, its axes must be named, or a selection is not there.
    ImageError
        The file cannot be read, is cut short, or holds color, other pixel types or NaN.
    NotAvailableError
        Its format needs the extra ``io``.
    """
    return _read(Path(path), axes, select or {}, one=False)


def read_one(
    path: Path | str, *, axes: str | None = None, select: Selection | None = None
) -> Image:
    """Read the one image of a file, or of what is selected in it; as `read` otherwise.

    Raises
    ------
    UsageError
        There are several: the message says what to select from. No pixel was loaded then.
    """
    return _read(Path(path), axes, select or {}, one=True)[0]


def _read(path: Path, axes: str | None, select: Selection, *, one: bool) -> list[Image]:
    with open_scans(path, axes) as scans:
        places = coordinates(scans, select)
        if one and len(places) > 1:
            _refuse_several(path, scans, places)
        return [_take(path, scans, at, keep_z="Z" in (axes or "")) for at in places]


def read_shape(
    path: Path | str, *, axes: str | None = None, select: Selection | None = None
) -> tuple[int, ...]:
    """Return the shape of the one image that `read_one` would read, without loading it."""
    path = Path(path)
    with open_scans(path, axes) as scans:
        places = coordinates(scans, select or {})
        if len(places) > 1:
            _refuse_several(path, scans, places)
        at = places[0]
        return taken_shape(scans[at["S"]], at, keep_z="Z" in (axes or ""))


def read_labels(path: Path | str, *, axes: str | None = None) -> Labels:
    """Read a label image: integers of any width, 0 for the background.

    Raises
    ------
    UsageError, ImageError
        As in `read_one`; and an ImageError where the pixels are no integers.
    """
    path = Path(path)
    with open_scans(path, axes) as scans:
        places = coordinates(scans, {})
        if len(places) > 1:
            _refuse_several(path, scans, places)
        if scans[0].dtype.kind not in "ui":
            raise ImageError(f"{path}: labels must be integers, not {scans[0].dtype.name}.")
        return take_pixels(scans[0], places[0], keep_z="Z" in (axes or ""))


def _refuse_several(path: Path, scans: list[Scan], places: list[dict[str, int]]) -> NoReturn:
    scan = scans[places[0]["S"]]
    hint = ""
    if scan.length("T") > 1 and scan.length("Z") == 1:
        named = scan.axes.replace(".", "").replace("T", "Z")
        hint = f" If T is depth, name it so with --axes {named}."
    raise UsageError(
        f"{path}: one image is needed, and {len(places)} are there: {describe(scans)}; choose with"
        f" --select, as in --select {label(scans, places[0])}.{hint}"
    )


def _take(path: Path, scans: list[Scan], at: dict[str, int], *, keep_z: bool) -> Image:
    scan = scans[at["S"]]
    check_dtype(scan)
    place = label(scans, at)
    lone = scan.channels[0] if len(scan.channels) == 1 and scan.channels[0] else _stem(path)
    try:
        return take(scan, at, keep_z=keep_z, name=place or lone)
    except ImageError as error:
        if str(error).startswith(str(path)):
            raise
        raise ImageError(f"{path}: {error}") from error


def _stem(path: Path) -> str:
    return path.stem.removesuffix(".ome")


def write(path: Path | str, images: Sequence[Image]) -> None:
    """Write images to one file, whole or not at all.

    ``.tif`` and ``.tiff`` become OME-TIFF with axes, spacing, names and significant bits, coded
    losslessly (deflate); several images, alike in all but their names, become its channels.
    ``.png`` takes one plane of integers and keeps its pixels only.

    Raises
    ------
    UsageError
        The name's ending is another one, the folder is not there, or the images do not fit.
    ImageError
        The disk refused.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (*tiff.SUFFIXES, *png.SUFFIXES):
        raise UsageError(f"{path}: images are written as .ome.tif, .tif or .png, not {suffix!r}.")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: there is no such folder.")
    if not images:
        raise UsageError(f"{path}: there is no image to write.")
    try:
        if suffix in png.SUFFIXES:
            _write_png(path, images)
        else:
            _write_tiff(path, images)
    except OSError as error:
        raise ImageError(f"{path}: cannot be written ({error.strerror or error}).") from error


def _write_png(path: Path, images: Sequence[Image]) -> None:
    image = images[0]
    if len(images) > 1 or image.axes != "YX" or image.dtype.kind != "u":
        raise UsageError(
            f"{path}: a PNG file takes one plane of uint8 or uint16, not {len(images)} x {image!r};"
            " write .ome.tif instead."
        )
    with atomic_file(path) as temporary:
        png.write_png(temporary, image)


def _write_tiff(path: Path, images: Sequence[Image]) -> None:
    first = images[0]
    for image in images[1:]:
        if (image.axes, image.shape, image.dtype, image.bits, image.spacing_um) != (
            first.axes, first.shape, first.dtype, first.bits, first.spacing_um,
        ):  # fmt: skip
            raise UsageError(f"{path}: the images of one file must be alike: {first!r}, {image!r}.")
    with atomic_file(path) as temporary:
        write_ome_tiff(temporary, images)
