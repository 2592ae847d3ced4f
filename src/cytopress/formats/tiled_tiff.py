"""Write tiled TIFF files from coded tiles, with OME-XML that is known when all are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cytopress.image import Pixels

# Offsets of 32 bits reach so far, and pages take some bytes beside their pixels.
MOST_CLASSIC = 2**32 - 2**26
PREDICTOR = 2


@dataclass(frozen=True)
class CodedPlanes:
    """The planes of one image as a TIFF file stores them.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) or (Z, Y, X).
    dtype : numpy dtype
        Of a pixel.
    tiles : sequence of bytes
        Coded tiles, plane by plane, in row-major order.
    edges : (int, int)
        Rows and columns of a tile.
    compression : int
        TIFF's number of it.
    predicted : bool
        Whether integers are differences along rows.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    tiles: Sequence[bytes]
    edges: tuple[int, int]
    compression: int
    predicted: bool


class TiledTiff:
    """A TIFF file that is being written, one image after the other; from `tiled_tiff`."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._description: str | None = "OME-XML"

    def add(self, image: CodedPlanes) -> None:
        """Write a page for each plane of an image."""
        planes = image.shape[0] if len(image.shape) == 3 else 1
        each = len(image.tiles) // planes
        for plane in range(planes):
            self._writer.write(
                iter(image.tiles[plane * each : (plane + 1) * each]),
                shape=image.shape[-2:],
                dtype=image.dtype.newbyteorder("<"),
                tile=image.edges,
                compression=image.compression,
                predictor=PREDICTOR if image.predicted and image.dtype.kind in "ui" else None,
                photometric="minisblack",
                description=self._description,
                software="cytopress",
                metadata=None,
            )
            self._description = None


@contextmanager
def tiled_tiff(path: Path, *, raw_bytes: int) -> Iterator[TiledTiff]:
    """Write a little-endian TIFF file; ``raw_bytes`` of all images decides if it is a BigTIFF.

    `describe` gives it its OME-XML afterwards.
    """
    import tifffile

    with tifffile.TiffWriter(path, byteorder="<", bigtiff=raw_bytes > MOST_CLASSIC) as writer:
        yield TiledTiff(writer)


def describe(path: Path, ome_xml: str) -> None:
    """Make OME-XML the description of a file's first page."""
    import tifffile

    tifffile.tiffcomment(path, ome_xml.encode())


@contextmanager
def read_back(path: Path) -> Iterator[ReadBack]:
    """Open a TIFF file to read its pages as tifffile decodes them."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        yield ReadBack(file)


class ReadBack:
    """Pages of a TIFF file in order; from `read_back`."""

    def __init__(self, file: Any) -> None:
        self._file, self._next = file, 0

    def image(self, shape: tuple[int, ...]) -> Pixels:
        """Return the next image, of this shape."""
        planes = shape[0] if len(shape) == 3 else 1
        pages = [self._file.pages[self._next + number] for number in range(planes)]
        self._next += planes
        return np.asarray(np.stack([page.asarray() for page in pages]).reshape(shape))
