"""Datasets cut from files that their authors published on the web, image by image.

Each has a folder in published_tables with its ``dataset.toml`` and ``pairs.csv``, and ``files.csv``
with a row for each image: its path in the dataset; size and sha256 of that file on a mirror; sha256
of its pixels (little-endian, in C order); the authors' file that holds it; and a landmark, 16
pixels of the image from (y, x) on, by which the image is found in a larger original. An image from
either source is accepted only if its digest is right.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytopress.digests import digest_pixels
from cytopress.errors import DatasetError, ImageError
from cytopress.formats.arrays import read_array
from cytopress.image import Image, Pixels

FOLDER = Path(__file__).parent / "published_tables"


@dataclass(frozen=True)
class PublishedImage:
    """One image of a dataset: a row of ``files.csv``."""

    path: str
    size: int
    sha256: str
    pixels: str
    source: str
    y: int
    x: int
    landmark: bytes


@dataclass(frozen=True)
class PublishedDataset:
    """Address of a dataset's originals, and the shape and dtype of its images."""

    name: str
    base: str
    shape: tuple[int, int]
    dtype: str

    @property
    def folder(self) -> Path:
        """Folder of its tables."""
        return FOLDER / self.name

    def files(self) -> list[PublishedImage]:
        """Return the images of the dataset."""
        with (self.folder / "files.csv").open(newline="", encoding="utf-8") as stream:
            return [
                PublishedImage(
                    row["path"],
                    int(row["size"]),
                    row["sha256"],
                    row["pixels"],
                    row["source"],
                    int(row["y"]),
                    int(row["x"]),
                    bytes.fromhex(row["landmark"]),
                )
                for row in csv.DictReader(stream)
            ]

    def image(self, original: Path, file: PublishedImage) -> Image:
        """Find the image in an original.

        Raises
        ------
        DatasetError
            The original does not hold it: it has changed.
        """
        pixels = _read_original(original)
        landmark = np.frombuffer(file.landmark, np.dtype(self.dtype).newbyteorder("<"))
        height, width = self.shape
        for row, column in _find(pixels, landmark):
            top, left = row - file.y, column - file.x
            if min(top, left) < 0:
                continue
            found = np.ascontiguousarray(pixels[top : top + height, left : left + width])
            if found.shape == self.shape and digest_pixels(found) == file.pixels:
                return Image(found)
        raise DatasetError(
            f"{file.source} of {self.base} does not hold the image {file.path} any more; fetch"
            f" from a mirror (--mirror), or set CYTOPRESS_DATA to a folder that holds {self.name}."
        )


def _read_original(path: Path) -> Pixels:
    try:
        pixels = read_array(path)
    except ImageError as error:
        raise DatasetError(str(error)) from error
    # The authors keep some grey images as RGB, three times the same.
    return pixels if pixels.ndim == 2 else pixels[..., 0]


def _find(pixels: Pixels, landmark: Pixels) -> list[tuple[int, int]]:
    """Return every (row, column) at which the landmark's pixels occur side by side."""
    last = pixels.shape[1] - len(landmark)
    if pixels.ndim != 2 or last < 0:
        return []
    hits = pixels[:, : last + 1] == landmark[0]
    for offset in range(1, len(landmark)):
        hits = hits & (pixels[:, offset : last + 1 + offset] == landmark[offset])
    return [(int(row), int(column)) for row, column in np.argwhere(hits)]


GITHUB = "https://raw.githubusercontent.com"
PUBLISHED: dict[str, PublishedDataset] = {
    one.name: one
    for one in (
        PublishedDataset(
            "ecoli-phase",
            f"{GITHUB}/RPGroup-PBoC/mbl_pboc/d879cc0f37385fdc29e246a719837db7d2ae0b99"
            "/2017/code/lacI_titration%204",
            (512, 512),
            "uint16",
        ),
        PublishedDataset(
            "nuclei-brightfield",
            f"{GITHUB}/bethcg/aiSEGcell/c73c923dfb751028832c57bbe7d3fa79a0bc6b3e"
            "/aiSEGcell_supplement/aiSEGcell_sourcedata_scripts_software"
            "/sourcedata_analysis_scripts",
            (1024, 1024),
            "uint8",
        ),
    )
}
