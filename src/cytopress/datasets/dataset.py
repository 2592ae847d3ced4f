"""Datasets: fields of view with their images, from a folder with its table or from files alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cytopress.datasets.folder_form import SELECTIONS, check_split, read_metadata, read_pairs
from cytopress.datasets.splits import KNOWN_SPLITS, PARTS, Part
from cytopress.errors import CytopressWarning, DatasetError, ImageError, UsageError
from cytopress.formats.images import read_labels, read_one, read_shape
from cytopress.formats.selection import Selection, parse_selection
from cytopress.image import Axes, Image, Labels, Spacing


@dataclass(frozen=True, kw_only=True)
class FileMetadata:
    """What an image's own file says of it, where no ``dataset.toml`` does.

    ``axes`` are those given for the file; None where it says them itself. ``bits`` are the
    significant bits, None for those of the dataset. ``dtype`` is the type of the pixels.
    """

    dtype: str
    axes: str | None = None
    bits: int | None = None
    spacing_um: Spacing | None = None


@dataclass(frozen=True)
class Field:
    """One field of view: the paths of its images, and the group that it is split with.

    Without a ``target`` nothing is predicted: a task is scored by its agreement alone. The
    selections, such as ``C=DAPI``, choose one image of a file with several. ``metadata`` stand for
    those of the dataset.
    """

    name: str
    group: str
    part: Part
    input: Path
    target: Path | None = None
    labels: Path | None = None
    cells: Path | None = None
    input_select: str = ""
    target_select: str = ""
    metadata: FileMetadata | None = None


@dataclass(frozen=True)
class Dataset:
    """Fields of view, paired with targets or not, and their metadata.

    ``bits`` are the significant bits of the inputs. With an unknown ``pixel_size_um`` (None), no
    result is given in micrometers. ``target`` is "" where the fields have none.
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

        Raises
        ------
        DatasetError
            The fields have no targets.
        """
        bits = 8 * self.read_target(self.fields[0]).dtype.itemsize
        fields = tuple(
            replace(field, input=field.target, input_select=field.target_select)
            for field in self.fields
            if field.target is not None
        )
        title = f"{self.target} of {self.title}"
        return replace(self, title=title, input=self.target, bits=bits, fields=fields)

    def read_input(self, field: Field) -> Image:
        """Read the input: the image that is compressed and predicted from."""
        if field.metadata is not None:
            return self._read_by_file(field, field.metadata)
        return self._read(field.input, field.input_select, bits=self.bits, name=field.name)

    def read_target(self, field: Field) -> Image:
        """Read the target: the image that is predicted.

        Raises
        ------
        DatasetError
            Its shape is not the input's, or there is none.
        """
        if field.target is None:
            raise DatasetError(f"{self.folder}: the field {field.name!r} has no target image.")
        self._check_shape(field, field.target, field.target_select)
        return self._read(field.target, field.target_select, bits=0, name=field.name)

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

    def _check_shape(self, field: Field, path: Path, select: str = "") -> None:
        try:
            expected, found = (
                read_shape(p, axes=self._axes_of(s), select=_selection(s))
                for p, s in ((field.input, field.input_select), (path, select))
            )
        except (ImageError, UsageError) as error:
            raise DatasetError(str(error)) from error
        if expected != found:
            raise DatasetError(
                f"{path}: its shape {found} must be that of {field.input.name}, {expected}."
            )

    def _axes_of(self, select: str) -> str | None:
        """Return the axes to read a file by: those of one with several images are its own."""
        return None if select else self.axes

    def _read_by_file(self, field: Field, metadata: FileMetadata) -> Image:
        select, path = _selection(field.input_select), field.input
        try:
            image = read_one(path, axes=metadata.axes, select=select, of_dataset=True)
            bits = self.bits if metadata.bits is None else metadata.bits
            least = 0 if image.dtype.kind == "f" else int(image.pixels.max()).bit_length()
            # What a file says too low is not believed.
            if image.dtype.kind == "f" or (metadata.bits is not None and least > bits):
                bits = 0
            return Image(
                image.pixels,
                axes=image.axes,
                bits=bits,
                spacing_um=metadata.spacing_um,
                name=field.name,
            )
        except (ImageError, UsageError) as error:
            where = "" if str(error).startswith(str(path)) else f"{path}: "
            raise DatasetError(f"{where}{error}") from error

    def _read(self, path: Path, select: str, *, bits: int, name: str) -> Image:
        try:
            image = read_one(
                path, axes=self._axes_of(select), select=_selection(select), of_dataset=True
            )
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


def _selection(text: str) -> Selection | None:
    return parse_selection(text) if text else None


def open_dataset(folder: Path) -> Dataset:
    """Open a dataset folder.

    Raises
    ------
    DatasetError
        A file, key or column is missing or wrong.
    """
    metadata = read_metadata(folder)
    rows = read_pairs(folder, paired="target" in metadata)
    check_split(folder, metadata, {row["group"] for row in rows})
    name, own_split = metadata["name"], metadata.get("split", {})
    size = metadata.get("pixel_size_um")
    return Dataset(
        name=name,
        title=metadata["title"],
        input=metadata["input"],
        target=metadata.get("target", ""),
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
    paths = {c: folder / row[c] for c in ("target", "labels", "cells") if row.get(c)}
    selected = {column: (row.get(column) or "").strip() for column in SELECTIONS}
    return Field(
        row["field"],
        row["group"],
        part,
        folder / row["input"],
        paths.get("target"),
        paths.get("labels"),
        paths.get("cells"),
        input_select=selected["input_select"],
        target_select=selected["target_select"],
    )


def _part(name: str, own_split: Mapping[str, Sequence[str]], row: Mapping[str, str]) -> Part:
    if name in KNOWN_SPLITS:
        return KNOWN_SPLITS[name](row["field"], row["group"])
    for part in PARTS:
        if row["group"] in own_split.get(part, ()):
            return part
    return "train" if own_split else "test"
