"""Region of a TIFF page: only the strips or tiles that it touches are read and decoded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytopress.formats.scene import Index
from cytopress.image import Pixels

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage


def region_of(file: TiffFile, pages: Sequence[Any], index: Index) -> Pixels | None:
    """Return part of a single page; None where all of it is wanted, or it is read as a whole."""
    if len(pages) != 1 or len(index) != 2 or pages[0].parent is not file:
        return None
    rows, columns = index
    if not (isinstance(rows, slice) and isinstance(columns, slice)):
        return None
    page = pages[0].aspage()
    parts = zip((rows, columns), page.shape, strict=False)
    whole = [part.indices(length) for part, length in parts]
    if len(page.shape) != 2 or whole == [(0, length, 1) for length in page.shape]:
        return None
    if is_flat(page):
        part: Pixels = page.asarray(out="memmap")[rows, columns].astype(page.dtype)
        return part
    return read_region(page, rows, columns) if _can_be_parted(page) else None


def is_flat(page: TiffPage) -> bool:
    """Return whether a page is a plane of gray values that lies in the file as in memory."""
    if len(page.shape) != 2 or page.samplesperpixel != 1 or not page.is_memmappable:
        return False
    # So are planes without data, and those of a file that is cut short.
    end = page.dataoffsets[0] + page.nbytes
    return sum(page.databytecounts) >= page.nbytes and end <= page.parent.filehandle.size


def _can_be_parted(page: TiffPage) -> bool:
    """Return whether a page is a plane of gray values in several strips or tiles."""
    return len(page.shape) == 2 and page.samplesperpixel == 1 and len(page.dataoffsets) > 1


def read_region(page: TiffPage, rows: slice, columns: slice) -> Pixels:
    """Return rows and columns (slices without steps) of a page."""
    height, width = page.shape
    top, bottom, _ = rows.indices(height)
    left, right, _ = columns.indices(width)
    deep, wide = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, width)
    across = math.ceil(width / wide)
    wanted = [
        row * across + column
        for row in range(top // deep, math.ceil(bottom / deep))
        for column in range(left // wide, math.ceil(right / wide))
    ]
    found = np.full((bottom - top, right - left), page.nodata, page.dtype)
    tables: dict[str, Any] = {"jpegtables": page.jpegtables} if page.jpegtables else {}
    file = page.parent.filehandle
    for number in wanted:
        if not page.databytecounts[number]:
            continue
        file.seek(page.dataoffsets[number])
        data = file.read(page.databytecounts[number])
        segment, (_, _, y, x, _), _ = page.decode(data, number, **tables)
        if segment is None:
            continue
        plane = segment.reshape(segment.shape[-3:-1])
        start, end = max(y, top), min(y + plane.shape[0], bottom)
        first, last = max(x, left), min(x + plane.shape[1], right)
        found[start - top : end - top, first - left : last - left] = plane[
            start - y : end - y, first - x : last - x
        ]
    return found
