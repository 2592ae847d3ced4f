"""Read TIFF files: OME-TIFF, ImageJ TIFF and plain TIFF."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cytopress.errors import ImageError, UsageError
from cytopress.formats.imagej import imagej_metadata
from cytopress.formats.ome_series import Page, absent_files, check_set, image_of, metadata_of
from cytopress.formats.ome_xml import OmeXml, SceneMetadata, is_ome_xml, parse_ome_xml
from cytopress.formats.scene import Index, Scene, SourceMetadata
from cytopress.formats.tiff_chain import Chain, read_chain
from cytopress.formats.tiff_metadata import known_tiff_metadata, vendor_of
from cytopress.formats.tiff_region import region_of
from cytopress.formats.white_is_zero import as_min_is_black, is_min_is_white
from cytopress.image import Pixels

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

WRITTEN = (".tif", ".tiff")
# The shorter ones are those of OME-TIFF files in the BigTIFF form, and of older ones.
SUFFIXES = (*WRITTEN, ".btf", ".tf2", ".tf8")
ORIENTATION = 274
COMPANION = ".companion.ome"


@dataclass(frozen=True)
class Opened:
    """A TIFF file: its OME-XML, if any, and notes on metadata that cannot be used."""

    path: Path
    file: TiffFile
    chain: Chain
    xml: OmeXml | None
    notes: tuple[str, ...]


@contextmanager
def open_tiff(path: Path) -> Iterator[list[Scene]]:
    """Open a TIFF file and describe its scenes (full resolution only).

    The resolution tags of plain TIFF are ignored: most programs write a printer's there.
    """
    import tifffile

    with path.open("rb") as stream:
        chain = read_chain(path, stream)
    with tifffile.TiffFile(path) as file:
        text = file.pages.first.description
    xml, notes = _ome_xml(path, text)
    if chain.stale:
        tags = ", ".join(map(str, chain.stale))
        notes = (*notes, f"the values of its tags {tags} lie outside the file and are ignored")
    with tifffile.TiffFile(path, omexml=None if xml is None else xml.text) as file:
        opened = Opened(path, file, chain, xml, notes)
        if xml is not None:
            check_set(xml, path)
        yield [
            scene
            for number, series in _full_resolution(file)
            for scene in _scenes(opened, number, series)
        ]


@contextmanager
def open_companion(path: Path) -> Iterator[list[Scene]]:
    """Open the files that the companion file of a multi-file OME-TIFF lists.

    Raises
    ------
    UsageError
        None of them is beside it.
    """
    xml = parse_ome_xml(path.read_text(encoding="utf-8", errors="replace"))
    part = next((name for name in xml.files if (path.parent / name).is_file()), None)
    if part is None:
        names = ", ".join(list(xml.files)[:3]) or "no file"
        raise UsageError(
            f"{path}: the companion file lists {names}, but none is beside it; copy them there."
        )
    with open_tiff(path.parent / part) as scenes:
        yield scenes


def files_of_set(path: Path) -> frozenset[str]:
    """Return the names of the files that hold one image set with this one, as its OME-XML says.

    Empty for a file that is alone, and for one that cannot be read.
    """
    import tifffile

    try:
        # It may lie in a bucket, of which only the first pages are read.
        with path.open("rb") as stream, tifffile.TiffFile(stream, name=path.name) as file:
            text = file.pages.first.description
        xml, _ = _ome_xml(path, text)
    # Whoever reads the image learns why it cannot be read.
    except Exception:  # noqa: BLE001
        return frozenset()
    names = frozenset() if xml is None else frozenset(xml.files)
    return names if len(names) > 1 else frozenset()


def _ome_xml(path: Path, text: str) -> tuple[OmeXml | None, tuple[str, ...]]:
    """Return the OME-XML of a file, or that of its companion, and notes."""
    lost = "so its pixel size, bits and names are not used"
    if not is_ome_xml(text):
        return None, ()
    try:
        xml = parse_ome_xml(text)
    except ValueError as error:
        return None, (f"its OME-XML is malformed ({error}), {lost}",)
    notes = ("its OME-XML had characters that XML forbids, left out here",) * xml.repaired
    if not xml.companion:
        return xml, notes
    try:
        text = (path.parent / xml.companion).read_text(encoding="utf-8", errors="replace")
        return parse_ome_xml(text), notes
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return None, (f"its metadata are in {xml.companion} ({reason}), {lost}",)


def _full_resolution(file: TiffFile) -> list[tuple[int, TiffPageSeries]]:
    """Return the series with their numbers, without thumbnails where anything else is there."""
    series = list(enumerate(file.series))
    whole = [(n, one) for n, one in series if not one.keyframe.is_reduced]
    return whole or series


def _scenes(opened: Opened, number: int, series: TiffPageSeries) -> list[Scene]:
    """Return the scene of a series, or one for each position (R) of Micro-Manager's."""

    def load(index: Index) -> Pixels:
        return _load(opened, number, series, index)

    if "R" not in series.axes:
        return [_scene(opened, number, series, load, series.pages)]
    axis = series.axes.index("R")
    outside = series.shape[: len(series.shape) - len(series.keyframe.shape)]
    pages = np.empty(math.prod(outside), dtype=object)
    pages[:] = list(series.pages)
    found = []
    for position in range(series.shape[axis]):

        def load_one(index: Index, position: int = position) -> Pixels:
            return load((*index[:axis], position, *index[axis:]))

        taken = pages.reshape(outside).take(position, axis=axis)
        found.append(_scene(opened, number, series, load_one, list(taken.flat), without=axis))
    return found


def _scene(
    opened: Opened,
    number: int,
    series: TiffPageSeries,
    load: Any,
    pages: Any,
    without: int | None = None,
) -> Scene:
    kept = [d for d in range(len(series.shape)) if d != without]
    shape, axes = tuple(series.shape[d] for d in kept), "".join(series.axes[d] for d in kept)
    size = tuple(shape[axes.index(letter)] for letter in "YX") if {"Y", "X"} <= set(axes) else ()
    planes = shape[axes.index("Z")] if "Z" in axes else 1
    page = next((p for p in pages if p is not None), None)
    metadata = _metadata(opened, series, page, size, planes)

    def describe() -> SourceMetadata | None:
        if opened.xml is None:
            return known_tiff_metadata(
                opened.file, series.keyframe, axes, shape, metadata, number=number
            )
        if page is None or len(size) != 2:
            return None
        found = image_of(opened.xml, _place(opened, page, series.kind), size, opened.path)
        if isinstance(found, str):
            return SourceMetadata("", 0, (found,))
        return SourceMetadata(opened.xml.text, found.number)

    notes = (*opened.notes, *metadata.notes)
    turned = series.keyframe.tags.valueof(ORIENTATION, 1)
    if turned != 1:
        notes = (*notes, f"its orientation ({turned}) is not applied, so rows are as stored")
    white = is_min_is_white(series.keyframe)
    if white and opened.file.is_imagej:
        white = False
        notes = (
            *notes,
            "it is shown inverted; values are read as stored, as ImageJ measures",
        )
    return Scene(
        str(opened.path),
        shape,
        axes,
        np.dtype(series.dtype),
        as_min_is_black(opened.path, series.keyframe, load) if white else load,
        metadata.spacing_um,
        metadata.channels,
        metadata.bits or _packed_bits(series),
        notes=notes,
        zero_is_white=white,
        metadata=describe,
    )


def _packed_bits(series: TiffPageSeries) -> int:
    """Return the bits of a stored sample where they fill no whole bytes, such as 12; else 0."""
    bits = int(series.keyframe.bitspersample)
    return bits if bits % 8 and np.dtype(series.dtype).kind == "u" else 0


def _metadata(
    opened: Opened, series: TiffPageSeries, page: Any, size: tuple[int, ...], planes: int
) -> SceneMetadata:
    file = opened.file
    if opened.xml is not None:
        if page is None or len(size) != 2:
            return SceneMetadata({})
        place = _place(opened, page, series.kind)
        return metadata_of(opened.xml, place, (size[0], size[1]), opened.path)
    if file.is_imagej:
        return imagej_metadata(file, planes=planes)
    if vendor := vendor_of(file):
        note = f"metadata in the form of {vendor} are not read, so the pixel size is unknown"
        return SceneMetadata({}, notes=(note,))
    return SceneMetadata({})


def _place(opened: Opened, page: Any, kind: str) -> Page:
    """Return where a page is; the index that tifffile gives Micro-Manager's is not its number."""
    if page.parent.filename == opened.file.filename:
        offsets = opened.chain.offsets
        number = offsets.index(page.offset) if page.offset in offsets else None
        return Page(page.parent.filename, number)
    known = kind == "ome" and isinstance(page.index, int)
    return Page(page.parent.filename, page.index if known else None)


def _load(opened: Opened, number: int, series: TiffPageSeries, index: Index) -> Pixels:
    inside = len(series.keyframe.shape)
    outside = series.shape[: len(series.shape) - inside]
    # Not listed: an image may be one of many thousands.
    pages = series.pages
    alone = series.shape[len(outside) :] == series.keyframe.shape
    with _closed_parts(opened, series):
        if not alone or math.prod(outside) != len(pages):
            # Several planes share a page directory: where they are compressed, tifffile can only
            # read all of them.
            _check_pages(opened, pages)
            contiguous = series.dataoffset is not None and series.parent is opened.file
            return np.array(series.asarray(out="memmap" if contiguous else None)[index])
        wanted = np.arange(len(pages)).reshape(outside)[index[: len(outside)]]
        taken = [pages[int(page)] for page in wanted.flat]
        _check_pages(opened, taken)
        region = region_of(opened.file, taken, index[len(outside) :])
        if region is not None:
            return region.reshape(wanted.shape + region.shape)
        pixels = opened.file.asarray(key=[int(page) for page in wanted.flat], series=number)
    pixels = pixels.reshape(wanted.shape + series.keyframe.shape)
    kept: tuple[int | slice, ...] = (slice(None),) * wanted.ndim
    return np.asarray(pixels[kept + index[len(outside) :]])


@contextmanager
def _closed_parts(opened: Opened, series: TiffPageSeries) -> Iterator[None]:
    """Let tifffile open the other files of a set one by one, of which it warns."""
    if series.keyframe.parent is opened.file and not series.is_multifile:
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*reading array from closed file")
        yield


def _check_pages(opened: Opened, pages: Iterable[Any]) -> None:
    """Refuse pages without data, which tifffile would read as zeros."""
    for page in pages:
        if page is None or not page.databytecounts or 0 in page.databytecounts:
            absent = () if opened.xml is None else absent_files(opened.xml, opened.path)
            hint = f"; put {', '.join(absent[:3])} beside it" if absent else ""
            raise ImageError(
                f"{opened.path}: the file lacks the data of a plane that its metadata list{hint}."
            )
