"""Folder form of a dataset: ``dataset.toml`` and ``pairs.csv`` beside the images."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cytopress.datasets.csv_table import read_table
from cytopress.datasets.splits import KNOWN_SPLITS, PARTS
from cytopress.errors import DatasetError
from cytopress.image import AXES

MetadataValue = str | int | float
METADATA_FILE, PAIRS_FILE = "dataset.toml", "pairs.csv"
TEXTS = ("name", "title", "input", "axes", "licence", "attribution")
NEEDED = (*TEXTS, "bits")
OPTIONAL = ("target", "pixel_size_um", "notes", "split")
COLUMNS = ("field", "group", "input")
# The target is a column of datasets whose metadata name it.
TARGET = "target"
SELECTIONS = ("input_select", "target_select")
OPTIONAL_COLUMNS = (TARGET, "labels", "cells", *SELECTIONS)


def write_form(
    folder: Path, metadata: Mapping[str, MetadataValue], rows: Sequence[Mapping[str, str]]
) -> None:
    """Write the metadata of a dataset and the table of its fields.

    Parameters
    ----------
    folder : Path
        The dataset's folder, which holds the images already.
    metadata : mapping
        The keys of ``dataset.toml``; a key without a value is left out, never empty.
    rows : sequence of mapping
        For each field, ``field``, ``group``, ``input`` and optionally ``target``, ``labels`` and
        ``cells``; paths are relative to the folder, with forward slashes.
    """
    # JSON strings and numbers are valid TOML.
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in metadata.items()]
    (folder / METADATA_FILE).write_text("".join(lines), encoding="utf-8")
    with (folder / PAIRS_FILE).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_metadata(folder: Path) -> dict[str, Any]:
    """Read and check ``dataset.toml``.

    Raises
    ------
    DatasetError
        A key is missing, unknown or of the wrong type.
    """
    path = folder / METADATA_FILE
    try:
        metadata = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: is not valid TOML ({error}).") from error
    if missing := [key for key in NEEDED if key not in metadata]:
        raise DatasetError(f"{path}: {', '.join(missing)} must be given.")
    if unknown := sorted(set(metadata) - {*NEEDED, *OPTIONAL}):
        raise DatasetError(
            f"{path}: unknown key {', '.join(unknown)}; known: {', '.join(NEEDED)},"
            f" {', '.join(OPTIONAL)}."
        )
    for key in (*TEXTS, *(key for key in (TARGET,) if key in metadata)):
        if not isinstance(metadata[key], str) or not metadata[key]:
            raise DatasetError(f"{path}: {key} must be text, not {metadata[key]!r}.")
    if metadata["axes"] not in AXES:
        raise DatasetError(f"{path}: axes must be YX or ZYX, not {metadata['axes']!r}.")
    bits = metadata["bits"]
    if type(bits) is not int or not 1 <= bits <= 32:
        raise DatasetError(f"{path}: bits must be an integer from 1 to 32, not {bits!r}.")
    size = metadata.get("pixel_size_um")
    if size is not None and not (type(size) in (int, float) and math.isfinite(size) and size > 0):
        raise DatasetError(f"{path}: pixel_size_um must be a positive number, not {size!r}.")
    return metadata


def read_pairs(folder: Path, *, paired: bool = True) -> list[dict[str, str]]:
    """Read and check ``pairs.csv``; a dataset that is not ``paired`` has no column ``target``.

    Raises
    ------
    DatasetError
        A column or an entry is missing, a field is listed twice, or a file does not exist or is
        outside the folder.
    """
    path = folder / PAIRS_FILE
    needed = (*COLUMNS, TARGET) if paired else COLUMNS
    columns, rows = read_table(path, (*COLUMNS, *OPTIONAL_COLUMNS))
    if missing := [column for column in needed if column not in columns]:
        raise DatasetError(f"{path}: the columns {', '.join(missing)} are missing.")
    if TARGET in columns and not paired:
        raise DatasetError(
            f"{path}: there is a column target, so {METADATA_FILE} must say what target shows."
        )
    if unknown := [column for column in columns if column not in (*COLUMNS, *OPTIONAL_COLUMNS)]:
        raise DatasetError(f"{path}: unknown column {', '.join(unknown)}.")
    if len(set(columns)) < len(columns):
        raise DatasetError(f"{path}: a column is given twice: {', '.join(columns)}.")
    if not rows:
        raise DatasetError(f"{path}: the table has no field.")
    seen: set[str] = set()
    checked = []
    for number, row in rows:
        found = _checked_row(folder, number, row, needed)
        if found["field"] in seen:
            raise DatasetError(f"{path}: the field {found['field']!r} is listed twice.")
        seen.add(found["field"])
        checked.append(found)
    return checked


def _checked_row(
    folder: Path, number: int, row: Mapping[str, str], needed: Sequence[str]
) -> dict[str, str]:
    """Return a row whose paths are as on disk."""
    where = f"{folder / PAIRS_FILE}, line {number}"
    if empty := [column for column in needed if not row[column].strip()]:
        raise DatasetError(f"{where}: {', '.join(empty)} must not be empty.")
    found = dict(row)
    for column in ("input", "target", "labels", "cells"):
        entry = row.get(column, "")
        if not entry.strip():
            continue
        found[column] = path = _on_disk(folder, entry)
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise DatasetError(
                f"{where}: {entry} must be relative to the dataset's folder and inside it."
            )
        if not _exists(folder / path):
            raise DatasetError(
                f"{folder / path}: the {column} of field {row['field']!r} does not exist."
            )
    return found


def _on_disk(folder: Path, entry: str) -> str:
    """Return a path without spaces around it and with slashes, as another system may write it."""
    if _exists(folder / entry):
        return entry
    return entry.strip().replace("\\", "/")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    # Longer than a path may be, or with a character that none may have.
    except (OSError, ValueError):
        return False


def check_split(folder: Path, metadata: Mapping[str, Any], groups: set[str]) -> None:
    """Check the ``[split]`` that a dataset may have.

    Raises
    ------
    DatasetError
        A part or a group does not exist, a group is in two parts, or the split of this dataset is
        fixed.
    """
    path = folder / METADATA_FILE
    split = metadata.get("split")
    if split is None:
        return
    if metadata["name"] in KNOWN_SPLITS:
        raise DatasetError(f"{path}: the split of {metadata['name']} is fixed; remove [split].")
    if not isinstance(split, dict) or set(split) - set(PARTS):
        raise DatasetError(f"{path}: [split] holds lists of groups: {', '.join(PARTS)}.")
    seen: dict[str, str] = {}
    for part, members in split.items():
        if not isinstance(members, list) or not all(isinstance(m, str) for m in members):
            raise DatasetError(f"{path}: {part} in [split] must be a list of groups.")
        for group in members:
            if group not in groups:
                raise DatasetError(f"{path}: the group {group!r} of {part} is not in {PAIRS_FILE}.")
            if group in seen:
                raise DatasetError(f"{path}: the group {group!r} is in {seen[group]} and {part}.")
            seen[group] = part
    if "train" in split and (left := sorted(groups - set(seen))):
        raise DatasetError(f"{path}: the group {left[0]!r} is in no part of [split].")
