"""A dataset: a folder of paired images with ``dataset.toml`` and ``pairs.csv``."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytopress.errors import DatasetError
from cytopress.image import AXES, Axes, Image
from cytopress.io.images import read
from cytopress.io.splits import KNOWN_SPLITS, PARTS, Part

COLUMNS = ("field", "group", "input", "target")


@dataclass(frozen=True)
class Field:
    """One field of view: the paths of its images. ``group`` must not be split across parts."""

    name: str
    group: str
    part: Part
    input: Path
    target: Path
    labels: Path | None = None
    cells: Path | None = None


@dataclass(frozen=True)
class Dataset:
    """A folder of paired images and what is known about them.

    ``bits`` are the significant bits of the inputs; ``pixel_size_um`` is None where nobody knows
    it, and then nothing is given in micrometers.
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

    def read_input(self, field: Field) -> Image:
        """Read the image that is compressed and predicted from."""
        return self._read(field.input, bits=self.bits, name=field.name)

    def read_target(self, field: Field) -> Image:
        """Read the ground truth that belongs to the input.

        Raises
        ------
        DatasetError
            Its shape is not the input's.
        """
        return self._read(field.target, bits=0, name=field.name)

    def _read(self, path: Path, *, bits: int, name: str) -> Image:
        images = read(path, axes=self.axes)
        if len(images) != 1:
            raise DatasetError(f"{path}: a dataset's file holds one image, this one {len(images)}.")
        image = images[0]
        spacing = image.spacing_um
        if self.pixel_size_um is not None and self.axes == "YX":
            spacing = (self.pixel_size_um, self.pixel_size_um)
        return Image(image.pixels, axes=image.axes, bits=bits, spacing_um=spacing, name=name)


def open_dataset(folder: Path) -> Dataset:
    """Open a dataset folder.

    Raises
    ------
    DatasetError
        A file, key or column is missing, or a path points nowhere.
    """
    facts = _read_facts(folder / "dataset.toml")
    own_split = facts.get("split", {})
    name = str(facts["name"])
    fields = tuple(
        _field(folder, row, _part(name, own_split, row)) for row in _read_rows(folder / "pairs.csv")
    )
    if not fields:
        raise DatasetError(f"{folder / 'pairs.csv'}: there is no field in it.")
    size = facts.get("pixel_size_um")
    return Dataset(
        name=name,
        title=str(facts["title"]),
        input=str(facts["input"]),
        target=str(facts["target"]),
        axes=facts["axes"],
        bits=int(facts["bits"]),
        pixel_size_um=None if size is None else float(size),
        licence=str(facts["licence"]),
        attribution=str(facts["attribution"]),
        notes=str(facts.get("notes", "")),
        folder=folder,
        fields=fields,
    )


def _read_facts(path: Path) -> dict[str, Any]:
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: is not valid TOML ({error}).") from error
    needed = ("name", "title", "input", "target", "axes", "bits", "licence", "attribution")
    missing = [key for key in needed if key not in facts]
    if missing:
        raise DatasetError(f"{path}: {', '.join(missing)} must be given.")
    if facts["axes"] not in AXES:
        raise DatasetError(f"{path}: axes must be YX or ZYX, not {facts['axes']!r}.")
    return facts


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            rows = list(reader)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise DatasetError(f"{path}: the columns {', '.join(missing)} are missing.")
    names = [row["field"] for row in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(f"{path}: the field {twice[0]!r} stands there more than once.")
    return rows


def _field(folder: Path, row: Mapping[str, str], part: Part) -> Field:
    name = row["field"]
    if not row["group"]:
        raise DatasetError(f"{folder / 'pairs.csv'}: field {name!r} has an empty group.")

    def path(column: str) -> Path | None:
        entry = row.get(column)
        if not entry:
            return None
        found = folder / entry
        if not found.exists():
            raise DatasetError(f"{found}: the {column} of field {name!r} is not there.")
        return found

    source, target = path("input"), path("target")
    if source is None or target is None:
        raise DatasetError(f"{folder / 'pairs.csv'}: field {name!r} needs an input and a target.")
    return Field(name, row["group"], part, source, target, path("labels"), path("cells"))


def _part(name: str, own_split: Mapping[str, Sequence[str]], row: Mapping[str, str]) -> Part:
    if name in KNOWN_SPLITS:
        return KNOWN_SPLITS[name](row["field"], row["group"])
    for part in PARTS:
        if row["group"] in own_split.get(part, ()):
            return part
    return "train" if own_split else "test"
