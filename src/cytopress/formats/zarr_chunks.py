"""Chunks of a zarr array that are missing: zarr reads them as the fill value, without a word."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cytopress.errors import CytopressWarning, ImageError
from cytopress.formats.remote import is_remote, remote_sizes
from cytopress.formats.scene import Index

if TYPE_CHECKING:
    import zarr

Coordinates = tuple[int, ...]
# Objects that a bucket lists in one answer.
LISTED = 1000
REMEDY = "copy it again if the copy was interrupted, or correct dimension_separator in its metadata"


class Chunks:
    """The files of an array's chunks (of its shards, where it has them).

    Parameters
    ----------
    path : Path
        Folder of the zarr store.
    array : zarr.Array
        An array in it.
    """

    def __init__(self, path: Path, array: zarr.Array[Any]) -> None:
        self._path, self._folder = path, path / array.path
        self._shape = array.shape
        self._edges = getattr(array, "shards", None) or array.chunks
        metadata: Any = array.metadata
        self._key: Callable[[Coordinates], str] = metadata.encode_chunk_key
        self._listing: dict[str, tuple[int, int]] | None = None

    def warn_of_missing(self, index: Index) -> None:
        """Warn where chunks of a selection are missing.

        Zarr may leave out chunks that hold nothing but the fill value, so these may be as meant.

        Raises
        ------
        ImageError
            The array has no chunk at all.
        """
        wanted = list(self._chunks_of(index))
        missing = sum(not self._is_there(chunk) for chunk in wanted)
        if not missing:
            return
        if missing == len(wanted) and not any(map(self._is_there, self._chunks_of(None))):
            raise ImageError(
                f"{self._path}: no chunk of the array {self._folder.name!r} is where its metadata"
                f" say, so it would be read as a constant; {REMEDY}."
            )
        warnings.warn(
            f"{self._path}: {missing} of {len(wanted)} chunks are missing and are read as the fill"
            " value; they were empty when written, or the copy is not complete.",
            CytopressWarning,
            stacklevel=2,
        )

    def count_missing(self) -> tuple[int, int]:
        """Return how many chunks of the array are missing, and of how many."""
        self._list()
        there = [self._is_there(chunk) for chunk in self._chunks_of(None)]
        return there.count(False), len(there)

    def check_planes(self, index: Index, axes: str) -> None:
        """Check that every plane of a selection has a chunk.

        Raises
        ------
        ImageError
            A plane, of Y and X, has none.
        """
        if all(isinstance(part, slice) for part in index):
            self._list()
        plane = [d for d, letter in enumerate(axes) if letter in "YX"]
        planes: dict[Coordinates, bool] = {}
        for chunk in self._chunks_of(index):
            key = tuple(at for d, at in enumerate(chunk) if d not in plane)
            planes[key] = planes.get(key, False) or self._is_there(chunk)
        missing = sum(not there for there in planes.values())
        if missing:
            raise ImageError(
                f"{self._path}: {missing} of {len(planes)} planes have no chunk where the metadata"
                f" say, so they would be read as a constant; {REMEDY};"
                " a plane that is meant to be empty needs its chunks, too."
            )

    def _chunks_of(self, index: Sequence[int | slice] | None) -> Iterator[Coordinates]:
        """Yield the chunks of a selection of integers and slices without steps (None: of all)."""
        index = (slice(None),) * len(self._shape) if index is None else index
        return itertools.product(
            *(
                _touched(part, length, edge) if isinstance(part, slice) else (part // edge,)
                for part, length, edge in zip(index, self._shape, self._edges, strict=True)
            )
        )

    def _is_there(self, chunk: Coordinates) -> bool:
        file = self._folder / self._key(chunk)
        if is_remote(file) and self._listing is None and self._count <= LISTED:
            self._list()
        if self._listing is not None:
            return self._listing.get(cast("Any", file).path, (0, 0))[0] > 0
        # A copy that stopped may leave files of no bytes.
        return file.is_file() and file.stat().st_size > 0

    def _list(self) -> None:
        """List the chunks of an array in a bucket at once: a request for each takes its time."""
        if is_remote(self._folder) and self._listing is None:
            self._listing = remote_sizes(self._folder)

    @property
    def _count(self) -> int:
        pairs = zip(self._shape, self._edges, strict=True)
        return math.prod(-(-length // edge) for length, edge in pairs)


def _touched(part: slice, length: int, edge: int) -> range:
    start, stop, _ = part.indices(length)
    return range(start // edge, -(-stop // edge))
