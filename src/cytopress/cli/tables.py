"""Tables on the terminal, whose words are never cut: records where a table is too wide."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Row = Mapping[str, Any]
MISSING = "-"
# Blanks between two columns, as rich puts them.
GAP = 2


def print_table(rows: Sequence[Row]) -> None:
    """Print rows with equal keys.

    Where the terminal is too narrow for the longest words beside each other, each row is printed
    as a record: its first value, and below it the others with their keys. In a file or a pipe
    every row is one line, however long.
    """
    texts = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    columns, console = list(zip(*texts, strict=True)), Console()
    if console.is_terminal:
        widths = _widths(columns, console.width)
        if widths is None:
            print("\n".join(_record(row, console.width) for row in rows))
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for (name, *_), width in zip(columns, widths, strict=True):
            table.add_column(name, width=width)
        for row in texts[1:]:
            table.add_row(*map(escape, row))
        console.print(table)
        return
    widths = [max(map(len, column)) for column in columns]
    for row in texts:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print((" " * GAP).join(cells).rstrip())


def _widths(columns: Sequence[Sequence[str]], most: int) -> list[int] | None:
    """Return the widths of columns that fit, the widest ones wrapped; None where words do not."""
    widths = [max(map(len, column)) for column in columns]
    least = [
        max(len(word) for cell in column for word in cell.split() or ("",)) for column in columns
    ]
    while sum(widths) + GAP * (len(widths) - 1) > most:
        spare = [width > word for width, word in zip(widths, least, strict=True)]
        if not any(spare):
            return None
        widest = max((width, place) for place, width in enumerate(widths) if spare[place])[1]
        widths[widest] -= 1
    return widths


def _record(row: Row, width: int) -> str:
    """Return a row as its first value and a paragraph of the others."""
    (_, name), *others = row.items()
    text = "; ".join(f"{key}: {value}" for key, value in others if value not in (None, ""))
    indent = "  "
    lines = textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([_text(name), *lines])


def _text(value: object) -> str:
    return MISSING if value is None else str(value)
