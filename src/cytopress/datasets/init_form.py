"""First form of a dataset folder: ``dataset.toml`` and ``pairs.csv`` from the images found."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cytopress.atomic import atomic_file
from cytopress.datasets.dataset import Dataset, Field
from cytopress.datasets.folder_form import METADATA_FILE, PAIRS_FILE
from cytopress.datasets.image_folder import FolderOptions, open_image_folder
from cytopress.datasets.image_names import is_transmitted_light
from cytopress.errors import UnknownNameError, UsageError

TOML = """\
# A dataset: these images with {table}, one line a field. Correct what was guessed.
name = {name}
title = {title}
input = {input}
{target}axes = {axes}
# Significant bits of the input, such as 12 of a 12-bit camera in 16-bit files:
bits = {bits}
# Micrometers between pixels; leave it out where nobody knows it:
{pixel_size}
# What reports state of the images' origin:
licence = "unknown"
attribution = "unknown"

# To train models, part the groups (all others are for training); without, all fields are tested:
# [split]
# test = [{group}]
# validation = []
"""


def init_form(
    folder: Path,
    *,
    input: str | None = None,  # noqa: A002
    target: str | None = None,
    options: FolderOptions | None = None,
) -> tuple[tuple[Path, Path], tuple[str, ...]]:
    """Write the two files that make a folder of images a dataset; nothing is overwritten.

    Of two channels, the one of transmitted light is the input and the other the target.

    Parameters
    ----------
    folder : Path
        A folder of images.
    input, target : str, optional
        Their channels, by the names found, where they are not to be guessed.
    options : FolderOptions, optional
        How the folder is read.

    Returns
    -------
    paths : (Path, Path)
        The files written.
    notes : tuple of str
        What was guessed, and what was left out.

    Raises
    ------
    UsageError
        A file exists already, or it is in doubt which channels to take.
    DatasetError
        As of `open_image_folder`.
    """
    paths = folder / METADATA_FILE, folder / PAIRS_FILE
    for path in paths:
        if path.exists():
            raise UsageError(f"{path}: exists already, and is not overwritten.")
    opened = open_image_folder(folder, options)
    channels = {_channel(found): found for found in opened.datasets}
    source, truth = _chosen(folder, channels, input, target)
    rows, notes = _rows(folder, source, truth)
    _write(paths[0], _toml(source, truth, rows))
    _write(paths[1], _csv(rows))
    return paths, (*opened.notes, *notes)


def _channel(dataset: Dataset) -> str:
    return dataset.name.partition("/")[2]


def _chosen(
    folder: Path, channels: Mapping[str, Dataset], source: str | None, target: str | None
) -> tuple[Dataset, Dataset | None]:
    for name in (source, target):
        if name is not None and name not in channels:
            raise UnknownNameError("channel of these images", name, list(channels))
    light = [name for name in channels if is_transmitted_light(name)]
    if source is None:
        left = [name for name in channels if name != target]
        source = left[0] if len(left) == 1 else light[0] if len(light) == 1 else None
    others = [name for name in channels if name != source]
    if source is None or (target is None and len(others) > 1 and source in light):
        raise UsageError(
            f"{folder}: there are the channels {', '.join(channels)}; say which is compressed, and"
            " which one predicted from it if any, with --input CHANNEL --target CHANNEL."
        )
    if target is None and source in light and len(others) == 1:
        target = others[0]
    if source == target:
        raise UsageError(f"the input and the target are both {source}; give two channels.")
    return channels[source], None if target is None else channels[target]


def _rows(
    folder: Path, source: Dataset, truth: Dataset | None
) -> tuple[list[dict[str, str]], list[str]]:
    """Return the rows of the table, and a note on fields that lack one of their images."""
    targets = {field.name: field for field in truth.fields} if truth is not None else {}
    rows, lacking = [], []
    for field in source.fields:
        if truth is not None and field.name not in targets:
            lacking.append(field.name)
            continue
        row = _row(folder, field, "input")
        if truth is not None:
            row |= _row(folder, replace(targets[field.name], group=field.group), "target")
        rows.append(row)
    if not rows:
        raise UsageError(f"{folder}: no field has images of both channels.")
    notes = [f"left out, for want of a target: {', '.join(lacking)}"] if lacking else []
    return rows, notes


def _row(folder: Path, field: Field, column: str) -> dict[str, str]:
    row = {
        "field": field.name,
        "group": field.group,
        column: field.input.relative_to(folder).as_posix(),
    }
    if field.input_select:
        row[f"{column}_select"] = field.input_select
    return row


def _toml(source: Dataset, truth: Dataset | None, rows: Sequence[Mapping[str, str]]) -> str:
    name = source.name.partition("/")[0]
    size = source.pixel_size_um
    shown = _channel(source) or name
    return TOML.format(
        table=PAIRS_FILE,
        name=_quoted(name),
        title=_quoted(name if truth is None else f"{name}, {shown} and {_channel(truth)}"),
        input=_quoted(shown),
        target="" if truth is None else f"target = {_quoted(_channel(truth))}\n",
        axes=_quoted(source.axes),
        bits=source.bits,
        pixel_size="# pixel_size_um = 0.65" if size is None else f"pixel_size_um = {size!r}",
        group=_quoted(rows[-1]["group"]),
    )


def _quoted(text: str) -> str:
    # JSON strings are valid TOML.
    return json.dumps(text, ensure_ascii=False)


def _csv(rows: Sequence[Mapping[str, str]]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
