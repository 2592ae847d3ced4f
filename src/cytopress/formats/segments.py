"""Segments of an image file: the strips, tiles or chunks that are read and decoded as a whole."""

from __future__ import annotations

from pathlib import Path

import tifffile
import zarr

from cytopress.formats.ome_zarr import is_zarr
from cytopress.formats.remote import local_file, zarr_place
from cytopress.formats.tiff_region import is_flat


def segment_of(path: Path) -> tuple[int, int] | None:
    """Return rows and columns of a TIFF file's strips or tiles, or of an OME-Zarr's chunks.

    None: a plane is one segment, or the format is another, of which whole planes are read.
    """
    try:
        if is_zarr(path):
            return _of_zarr(path)
        with local_file(path) as file:
            return _of_tiff(file)
    except (OSError, ValueError, KeyError, IndexError, tifffile.TiffFileError):
        return None


def _of_tiff(path: Path) -> tuple[int, int] | None:
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        if is_flat(page):
            return 1, 1
        if len(page.dataoffsets) <= 1 or page.samplesperpixel != 1:
            return None
        if page.is_tiled:
            return page.tilelength, page.tilewidth
        return page.rowsperstrip, page.imagewidth


def _of_zarr(path: Path) -> tuple[int, int] | None:
    group = zarr.open_group(zarr_place(path), mode="r")
    arrays = [array for _, array in group.arrays()]
    if not arrays:
        return None
    largest = max(arrays, key=lambda array: array.size)
    rows, columns = largest.chunks[-2:]
    return rows, columns
