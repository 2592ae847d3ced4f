"""Read TIFF files: OME-TIFF, ImageJ TIFF and plain TIFF."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from cytopress.errors import ImageError
from cytopress.formats.ome_xml import SceneMetadata, in_micrometers, scenes_metadata
from cytopress.formats.scene import Index, Scene
from cytopress.image import Pixels

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

SUFFIXES = (".tif", ".tiff")
# Bytes per value of each TIFF field type.
VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
               16: 8, 17: 8, 18: 8}  # fmt: skip


@contextmanager
def open_tiff(path: Path) -> Iterator[list[Scene]]:
    """Open a TIFF file and describe its scenes (full resolution only).

    The resolution tags of plain TIFF are ignored: most programs write a printer's there.
    """
    import tifffile

    with path.open("rb") as stream:
        _check_chain(path, stream)
    with tifffile.TiffFile(path) as file:
        metadata = _metadata(file)
        yield [
            _scene(path, file, number, series, metadata[number] if number < len(metadata) else None)
            for number, series in enumerate(file.series)
        ]


def _check_chain(path: Path, stream: BinaryIO) -> None:
    """Follow the chain of page directories, and check that their values are inside the file.

    A truncated file breaks the chain; tifffile would log that and read what is left.
    """
    size = os.fstat(stream.fileno()).st_size
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise ImageError(f"{path}: the file is not a TIFF.")
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    word = "Q" if big else "I"
    seen = set()
    try:
        (offset,) = struct.unpack_from(f"{order}{word}", head, 8 if big else 4)
        while offset and offset not in seen:
            seen.add(offset)
            stream.seek(offset)
            count = f"{order}{'Q' if big else 'H'}"
            (entries,) = struct.unpack(count, stream.read(struct.calcsize(count)))
            directory = struct.Struct(f"{order}HH{word}{word}")
            table = stream.read(entries * directory.size)
            (offset,) = struct.unpack(f"{order}{word}", stream.read(struct.calcsize(f"={word}")))
            for _, kind, number, value in directory.iter_unpack(table):
                length = VALUE_BYTES.get(kind, 0) * number
                if length > struct.calcsize(f"={word}") and value + length > size:
                    raise ImageError(_cut_short(path, size))
    except (struct.error, OverflowError, MemoryError) as error:
        raise ImageError(_cut_short(path, size)) from error
    if not seen:
        raise ImageError(f"{path}: the TIFF file holds no image.")


def _cut_short(path: Path, size: int) -> str:
    return f"{path}: the file is damaged or cut short at {size} bytes; get it again."


def _metadata(file: TiffFile) -> list[SceneMetadata]:
    if file.is_ome:
        return scenes_metadata(file.ome_metadata or "")
    if not file.is_imagej:
        return []
    found: dict[str, Any] = file.imagej_metadata or {}
    unit = str(found.get("unit", "")).replace("\\u00B5", "\u00b5")
    spacing = {}
    sizes = {"Z": found.get("spacing")}
    for letter, tag in (("Y", "YResolution"), ("X", "XResolution")):
        value = file.pages.first.tags.valueof(tag)
        if value is not None and value[0]:
            sizes[letter] = value[1] / value[0]
    for letter, size in sizes.items():
        micrometers = None if size is None else in_micrometers(abs(float(size)), unit)
        if micrometers is not None:
            spacing[letter] = micrometers
    return [SceneMetadata(spacing)]


def _scene(
    path: Path, file: TiffFile, number: int, series: TiffPageSeries, metadata: SceneMetadata | None
) -> Scene:
    metadata = metadata or SceneMetadata({})

    def load(index: Index) -> Pixels:
        return _load(path, file, number, series, index)

    return Scene(
        str(path),
        tuple(series.shape),
        series.axes,
        np.dtype(series.dtype),
        load,
        metadata.spacing_um,
        metadata.channels,
        metadata.bits,
    )


def _load(path: Path, file: TiffFile, number: int, series: TiffPageSeries, index: Index) -> Pixels:
    inside = len(series.keyframe.shape)
    outside = series.shape[: len(series.shape) - inside]
    pages = list(series.pages)
    if series.shape[len(outside) :] != series.keyframe.shape or math.prod(outside) != len(pages):
        # Several planes share a page directory: tifffile can only read all of them.
        _check_pages(path, pages)
        return np.asarray(series.asarray())[index]
    wanted = np.arange(len(pages)).reshape(outside)[index[: len(outside)]]
    _check_pages(path, [pages[page] for page in wanted.flat])
    pixels = file.asarray(key=[int(page) for page in wanted.flat], series=number)
    pixels = pixels.reshape(wanted.shape + series.keyframe.shape)
    kept: tuple[int | slice, ...] = (slice(None),) * wanted.ndim
    return np.asarray(pixels[kept + index[len(outside) :]])


def _check_pages(path: Path, pages: list[Any]) -> None:
    """Refuse pages without data, which tifffile would read as zeros."""
    for page in pages:
        if page is None or not page.databytecounts or 0 in page.databytecounts:
            raise ImageError(f"{path}: the file lacks the data of a plane that its metadata list.")
