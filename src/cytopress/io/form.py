"""The dataset form, written: ``dataset.toml`` and ``pairs.csv`` beside the images."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

Fact = str | int | float


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
    (folder / "dataset.toml").write_text("".join(lines), encoding="utf-8")
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
