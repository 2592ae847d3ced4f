"""Datasets: folders of paired images with ``dataset.toml`` and ``pairs.csv``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cytopress.datasets.folder_form import check_split, read_metadata, read_pairs
from cytopress.datasets.splits import KNOWN_SPLITS, PARTS, Part
from cytopress.errors import CytopressWarning, DatasetError, ImageError, UsageError
from cytopress.formats.images import read_labels, read_one, read_shape
from cytopress.image import Axes, Image, Labels, Spacing


@dataclass(frozen=True)
class Field:
    """One field of view: the paths of its images, and the group that it is split with."""

    name: str
    group: str
    part: Part
    input: Path
    target: Path
    labels: Path | None = None
    cells: Path | None = None


@dataclass(frozen=True)
class Dataset:
    """A folder of paired images with their metadata.

    ``bits`` are the significant bits of the inputs. With an unknown ``pixel_size_um`` (None), no
    result is given in micrometers.
    """

    name: str
    title: str
    input: str
    target: str
    axes: Axes
    bits: int
    pixel_size_um: float | None
    licence: str
    attribution: str
    notes: str
    folder: Path
    fields: tuple[Field, ...]

    def part(self, part: Part) -> tuple[Field, ...]:
        """Return the fields of one part of the split."""
        return tuple(field for field in self.fields if field.part == part)

    def target_channel(self) -> Dataset:
        """Return a copy whose inputs, which are compressed and predicted from, are the targets.

        All bits of the target's dtype count as significant: metadata are about the input alone.
        """
        bits = 8 * self.read_target(self.fields[0]).dtype.itemsize
        fields = tuple(replace(field, input=field.target) for field in self.fields)
        title = f"{self.target} of {self.title}"
        return replace(self, title=title, input=self.target, bits=bits, fields=fields)

    def read_input(self, field: Field) -> Image:
        """Read the input: the image that is compressed and predicted from."""
        return self._read(field.input, bits=self.bits, name=field.name)

    def read_target(self, field: Field) -> Image:
        """Read the target: the image that is predicted.

        Raises
        ------
        DatasetError
            Its shape is not the input's.
        """
        self._check_shape(field, field.target)
        return self._read(field.target, bits=0, name=field.name)

    def read_labels(self, field: Field) -> Labels:
        """Read the labels of the field's nuclei: integers of the input's shape, 0 = background."""
        return self._read_labels(field, field.labels, "labels")

    def read_cells(self, field: Field) -> Labels:
        """Read the labels of the field's whole cells; otherwise like `read_labels`."""
        return self._read_labels(field, field.cells, "cells")

    def _read_labels(self, field: Field, path: Path | None, column: str) -> Labels:
        if path is None:
            raise DatasetError(f"{self.folder}: the field {field.name!r} has no {column}.")
        self._check_shape(field, path)
        try:
            return read_labels(path, axes=self.axes)
        except (ImageError, UsageError) as error:
            raise DatasetError(str(error)) from error

    def _check_shape(self, field: Field, path: Path) -> None:
        try:
            expected, found = (read_shape(p, axes=self.axes) for p in (field.input, path))
        except (ImageError, UsageError) as error:
            raise DatasetError(str(error)) from error
        if expected != found:
            raise DatasetError(
                f"{path}: its shape {found} must be that of {field.input.name}, {expected}."
            )

    def _read(self, path: Path, *, bits: int, name: str) -> Image:
        try:
            image = read_one(path, axes=self.axes, of_dataset=True)
            if image.dtype.kind == "f":
                bits = 0
            return Image(
                image.pixels,
                axes=image.axes,
                bits=bits,
                spacing_um=self._spacing(image, path),
                name=name,
            )
        except (ImageError, UsageError) as error:
            where = "" if str(error).startswith(str(path)) else f"{path}: "
            raise DatasetError(f"{where}{error}") from error

    def _spacing(self, image: Image, path: Path) -> Spacing | None:
        size = self.pixel_size_um
        if size is None or self.axes == "YX":
            return None if size is None else (size, size)
        apart = None if image.spacing_um is None else image.spacing_um[0]
        if apart is not None or image.shape[0] == 1:
            return (apart, size, size)
        warnings.warn(
            f"{path}: the distance of its planes is unknown, so volumes and depths are not given in"
            " micrometers; write the file with its spacing (PhysicalSizeZ of OME-TIFF).",
            CytopressWarning,
            stacklevel=2,
        )
        return (None, size, size)


def open_dataset(folder: Path) -> Dataset:
    """Open a dataset folder.

    Raises
    ------
    DatasetError
        A file, key or column is missing or wrong.
    """
    metadata = read_metadata(folder)
    rows = read_pairs(folder)
    check_split(folder, metadata, {row["group"] for row in rows})
    name, own_split = metadata["name"], metadata.get("split", {})
    size = metadata.get("pixel_size_um")
    return Dataset(
        name=name,
        title=metadata["title"],
        input=metadata["input"],
        target=metadata["target"],
        axes=metadata["axes"],
        bits=metadata["bits"],
        pixel_size_um=None if size is None else float(size),
        licence=metadata["licence"],
        attribution=metadata["attribution"],
        notes=str(metadata.get("notes", "")),
        folder=folder,
        fields=tuple(_field(folder, row, _part(name, own_split, row)) for row in rows),
    )


def _field(folder: Path, row: Mapping[str, str], part: Part) -> Field:
    labels, cells = (folder / row[c] if row.get(c) else None for c in ("labels", "cells"))
    return Field(
        row["field"],
        row["group"],
        part,
        folder / row["input"],
        folder / row["target"],
        labels,
        cells,
    )


def _part(name: str, own_split: Mapping[str, Sequence[str]], row: Mapping[str, str]) -> Part:
    if name in KNOWN_SPLITS:
        return KNOWN_SPLITS[name](row["field"], row["group"])
    for part in PARTS:
        if row["group"] in own_split.get(part, ()):
            return part
    return "train" if own_split else "test"
