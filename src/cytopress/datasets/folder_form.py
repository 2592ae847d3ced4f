"""The dataset form: ``dataset.toml`` and ``pairs.csv`` beside the images, read and written."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cytopress.datasets.splits import KNOWN_SPLITS, PARTS
from cytopress.errors import DatasetError
from cytopress.image import AXES

Fact = str | int | float
FACTS_FILE, ROWS_FILE = "dataset.toml", "pairs.csv"
TEXTS = ("name", "title", "input", "target", "axes", "licence", "attribution")
NEEDED = (*TEXTS, "bits")
OPTIONAL = ("pixel_size_um", "notes", "split")
COLUMNS = ("field", "group", "input", "target")
OPTIONAL_COLUMNS = ("labels", "cells")


def write_form(folder: Path, facts: Mapping[str, Fact], rows: Sequence[Mapping[str, str]]) -> None:
    """Write what is known about a dataset and the table of its fields.

    Parameters
    ----------
    folder : Path
        Where the images already are.
    facts : mapping
        The keys of ``dataset.toml``; those that are unknown are left out, never empty.
    rows : sequence of mapping
        One a field: ``field``, ``group``, ``input``, ``target`` and, where there are any,
        ``labels`` and ``cells``; paths relative to the folder, with forward slashes.
    """
    # A JSON string or number is a TOML one too.
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in facts.items()]
    (folder / FACTS_FILE).write_text("".join(lines), encoding="utf-8")
    with (folder / ROWS_FILE).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_facts(folder: Path) -> dict[str, Any]:
    """Read and check ``dataset.toml``.

    Raises
    ------
    DatasetError
        A key is missing, unknown or of the wrong kind.
    """
    path = folder / FACTS_FILE
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: is not valid TOML ({error}).") from error
    if missing := [key for key in NEEDED if key not in facts]:
        raise DatasetError(f"{path}: {', '.join(missing)} must be given.")
    if unknown := sorted(set(facts) - {*NEEDED, *OPTIONAL}):
        raise DatasetError(
            f"{path}: {', '.join(unknown)} is not a key of it; known: {', '.join(NEEDED)},"
            f" {', '.join(OPTIONAL)}."
        )
    for key in TEXTS:
        if not isinstance(facts[key], str) or not facts[key]:
            raise DatasetError(f"{path}: {key} must be text, not {facts[key]!r}.")
    if facts["axes"] not in AXES:
        raise DatasetError(f"{path}: axes must be YX or ZYX, not {facts['axes']!r}.")
    bits = facts["bits"]
    if type(bits) is not int or not 1 <= bits <= 32:
        raise DatasetError(f"{path}: bits must be a whole number from 1 to 32, not {bits!r}.")
    size = facts.get("pixel_size_um")
    if size is not None and not (type(size) in (int, float) and math.isfinite(size) and size > 0):
        raise DatasetError(f"{path}: pixel_size_um must be a positive number, not {size!r}.")
    return facts


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Read and check ``pairs.csv``.

    Raises
    ------
    DatasetError
        A column or an entry is missing, a field stands there twice, or a path points nowhere or
        out of the folder.
    """
    path = folder / ROWS_FILE
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            columns, rows = reader.fieldnames or (), list(reader)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: is not a CSV file in UTF-8 ({error}).") from error
    if missing := [column for column in COLUMNS if column not in columns]:
        raise DatasetError(f"{path}: the columns {', '.join(missing)} are missing.")
    if unknown := [column for column in columns if column not in (*COLUMNS, *OPTIONAL_COLUMNS)]:
        raise DatasetError(f"{path}: {', '.join(unknown)} is not a column of it.")
    if not rows:
        raise DatasetError(f"{path}: there is no field in it.")
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        _check_row(folder, number, row)
        if row["field"] in seen:
            raise DatasetError(f"{path}: the field {row['field']!r} stands there more than once.")
        seen.add(row["field"])
    return rows


def _check_row(folder: Path, number: int, row: Mapping[str | None, Any]) -> None:
    where = f"{folder / ROWS_FILE}, line {number}"
    if None in row or None in row.values():
        raise DatasetError(f"{where}: there are more or fewer entries than columns.")
    if empty := [column for column in COLUMNS if not row[column].strip()]:
        raise DatasetError(f"{where}: {', '.join(empty)} must not be empty.")
    for column in ("input", "target", *OPTIONAL_COLUMNS):
        entry = row.get(column)
        if not entry:
            continue
        if Path(entry).is_absolute() or ".." in Path(entry).parts:
            raise DatasetError(
                f"{where}: {entry} must be relative to the dataset's folder and inside it."
            )
        if not (folder / entry).exists():
            raise DatasetError(
                f"{folder / entry}: the {column} of field {row['field']!r} is not there."
            )


def check_split(folder: Path, facts: Mapping[str, Any], groups: set[str]) -> None:
    """Check the ``[split]`` of a dataset that brings its own.

    Raises
    ------
    DatasetError
        A part or a group in it does not exist, a group is in two parts, or the split of this
        dataset is fixed.
    """
    path = folder / FACTS_FILE
    split = facts.get("split")
    if split is None:
        return
    if facts["name"] in KNOWN_SPLITS:
        raise DatasetError(f"{path}: the split of {facts['name']} is fixed; remove [split].")
    if not isinstance(split, dict) or set(split) - set(PARTS):
        raise DatasetError(f"{path}: [split] holds lists of groups: {', '.join(PARTS)}.")
    seen: dict[str, str] = {}
    for part, members in split.items():
        if not isinstance(members, list) or not all(isinstance(m, str) for m in members):
            raise DatasetError(f"{path}: {part} in [split] must be a list of groups.")
        for group in members:
            if group not in groups:
                raise DatasetError(f"{path}: the group {group!r} of {part} is not in {ROWS_FILE}.")
            if group in seen:
                raise DatasetError(f"{path}: the group {group!r} is in {seen[group]} and {part}.")
            seen[group] = part
    if "train" in split and (left := sorted(groups - set(seen))):
        raise DatasetError(f"{path}: the group {left[0]!r} is in no part of [split].")
