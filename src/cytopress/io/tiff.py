"""TIFF files: OME-TIFF, ImageJ's, and plain ones."""

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
from cytopress.image import Pixels
from cytopress.io.ome_xml import SceneFacts, in_micrometers, scene_facts
from cytopress.io.scan import Index, Scan

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

SUFFIXES = (".tif", ".tiff")


@contextmanager
def open_tiff(path: Path) -> Iterator[list[Scan]]:
    """Open a TIFF file and scan its scenes (full resolution only).

    The resolution tags of plain TIFF are not read: most programs write a printer's there.
    """
    import tifffile

    with path.open("rb") as stream:
        check_directories(path, stream)
    with tifffile.TiffFile(path) as file:
        facts = _facts(file)
        yield [
            _scan(path, file, number, series, facts[number] if number < len(facts) else None)
            for number, series in enumerate(file.series)
        ]


def check_directories(path: Path, stream: BinaryIO) -> None:
    """Follow the chain of page directories; a file that was cut short breaks it.

    tifffile logs a broken chain and goes on with the pages before it.
    """
    size = os.fstat(stream.fileno()).st_size
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise ImageError(f"{path}: this is not a TIFF file.")
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    count, entry, offset = ("Q", 20, "Q") if big else ("H", 12, "I")
    seen = set()
    try:
        (next_offset,) = struct.unpack_from(f"{order}{offset}", head, 8 if big else 4)
        while next_offset and next_offset not in seen:
            seen.add(next_offset)
            stream.seek(next_offset)
            (entries,) = struct.unpack(f"{order}{count}", stream.read(struct.calcsize(count)))
            stream.seek(entries * entry, os.SEEK_CUR)
            (next_offset,) = struct.unpack(
                f"{order}{offset}", stream.read(struct.calcsize(f"={offset}"))
            )
    except struct.error as error:
        raise ImageError(f"{path}: the file is cut short at {size} bytes; get it again.") from error
    if not seen:
        raise ImageError(f"{path}: there is no image in this TIFF file.")


def _facts(file: TiffFile) -> list[SceneFacts]:
    if file.is_ome:
        return scene_facts(file.ome_metadata or "")
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
    return [SceneFacts(spacing)]


def _scan(
    path: Path, file: TiffFile, number: int, series: TiffPageSeries, facts: SceneFacts | None
) -> Scan:
    facts = facts or SceneFacts({})

    def load(index: Index) -> Pixels:
        return _load(path, file, number, series, index)

    return Scan(
        str(path),
        tuple(series.shape),
        series.axes,
        np.dtype(series.dtype),
        load,
        facts.spacing_um,
        facts.channels,
        facts.bits,
    )


def _load(path: Path, file: TiffFile, number: int, series: TiffPageSeries, index: Index) -> Pixels:
    inside = len(series.keyframe.shape)
    outside = series.shape[: len(series.shape) - inside]
    pages = list(series.pages)
    if series.shape[len(outside) :] != series.keyframe.shape or math.prod(outside) != len(pages):
        # Several planes behind one page directory: tifffile knows how to read only all of them.
        _check_pages(path, pages)
        return np.asarray(series.asarray())[index]
    wanted = np.arange(len(pages)).reshape(outside)[index[: len(outside)]]
    _check_pages(path, [pages[page] for page in wanted.flat])
    pixels = file.asarray(key=[int(page) for page in wanted.flat], series=number)
    pixels = pixels.reshape(wanted.shape + series.keyframe.shape)
    kept: tuple[int | slice, ...] = (slice(None),) * wanted.ndim
    return np.asarray(pixels[kept + index[len(outside) :]])


def _check_pages(path: Path, pages: list[Any]) -> None:
    """Refuse pages whose data are not all there: tifffile would give zeros for them."""
    for page in pages:
        if page is None:
            raise ImageError(f"{path}: a plane that its metadata name is not in the file.")
        size = page.parent.filehandle.size
        counts = page.databytecounts
        if not counts or 0 in counts:
            raise ImageError(f"{path}: a plane of the file has no data.")
        if any(o + n > size for o, n in zip(page.dataoffsets, counts, strict=True)):
            raise ImageError(f"{path}: the file is cut short at {size} bytes; get it again.")
