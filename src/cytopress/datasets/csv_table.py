"""CSV tables as spreadsheets export them: commas, semicolons or tabs, in UTF-8 or UTF-16."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from pathlib import Path

from cytopress.errors import DatasetError

DELIMITERS = (",", ";", "\t")
# Excel's first line, which names the delimiter.
DECLARATION = "sep="


def read_table(
    path: Path, known: Sequence[str]
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Read a table; empty lines, and columns without a name or an entry, are left out.

    Parameters
    ----------
    path : Path
        The file.
    known : sequence of str
        Names that columns may have: the delimiter gives the most of them, and they are found in any
        case.

    Returns
    -------
    columns : list of str
        Their names, in order.
    rows : list of (int, dict)
        The line of the file, from 1, and the entries by column.

    Raises
    ------
    DatasetError
        The file cannot be read, is no CSV file, or a line has more or fewer entries than columns.
    """
    text = _text(path)
    delimiter = _delimiter(text, known)
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        lines = [(reader.line_num, entries) for entries in reader if any(map(str.strip, entries))]
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise DatasetError(f"{where}: is not a CSV file ({error}).") from error
    if lines and lines[0][1][0].lower().startswith(DECLARATION):
        lines = lines[1:]
    if not lines:
        return [], []
    columns = _columns(lines[0][1], known)
    return columns, [(number, _row(path, number, columns, row)) for number, row in lines[1:]]


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path}: must be text in UTF-8 or UTF-16 ({error}); save it as CSV UTF-8."
        ) from error


def _delimiter(text: str, known: Sequence[str]) -> str:
    """Return the delimiter by which the first line holds the most columns that are known."""
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and lines[0].lower().startswith(DECLARATION):
        lines = lines[1:]
    head = lines[0] if lines else ""

    def found(delimiter: str) -> int:
        names = (name.strip().strip('"').casefold() for name in head.split(delimiter))
        return sum(name in known for name in names)

    return max(DELIMITERS, key=found)


def _columns(names: Sequence[str], known: Sequence[str]) -> list[str]:
    found = [name.strip() for name in names]
    while found and not found[-1]:
        found.pop()
    return [name.casefold() if name.casefold() in known else name for name in found]


def _row(path: Path, number: int, columns: Sequence[str], entries: Sequence[str]) -> dict[str, str]:
    extra = entries[len(columns) :]
    if len(entries) < len(columns) or any(map(str.strip, extra)):
        raise DatasetError(
            f"{path}, line {number}: the number of entries, {len(entries)}, is not that of the"
            f" columns, {len(columns)}."
        )
    return dict(zip(columns, entries, strict=False))
