"""Wells in the names of files: which field of which plate each is, and which of its channels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.datasets.image_names import WELL, split_names
from cytopress.errors import UsageError
from cytopress.files.find import stem

# Wells as instruments number them: r01c02, and A02.
NUMBERED = re.compile(r"r(\d+)c(\d+)")
LETTERED = re.compile(r"([A-P])(\d+)")
DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Placed:
    """The files of one field: of its channels, where each has its own.

    Parameters
    ----------
    well : str
        Path of the well in the archive, such as ``plate.ome.zarr/A/1``.
    names, channels : tuple of str
        Files, and the channel that each name holds; no channels where names hold none.
    """

    well: str
    names: tuple[str, ...]
    channels: tuple[str, ...]


def placed(names: Sequence[str], root: str) -> list[Placed]:
    """Return the fields of wells, in the order of plates, wells and fields.

    Parameters
    ----------
    names : sequence of str
        Paths of files relative to their folder.
    root : str
        Name of that folder: the plate of files that are in no other.

    Raises
    ------
    UsageError
        A name holds no well, or two files are one channel of a field.
    """
    stems = [stem(name) for name in names]
    wells = [_well(one, name, root) for one, name in zip(stems, names, strict=True)]
    parts = split_names(stems)
    fields: dict[tuple[str, str], dict[str, str]] = {}
    for number, name in enumerate(names):
        field, channel = (stems[number], "") if parts is None else _part(parts[number])
        files = fields.setdefault((wells[number], field), {})
        if channel in files:
            raise UsageError(f"{files[channel]} and {name} are one channel of a field; rename one.")
        files[channel] = name
    channels = sorted({channel for files in fields.values() for channel in files}, key=natural)
    found = []
    for (well, _), files in sorted(fields.items(), key=lambda one: _order(*one[0])):
        if len(files) != len(channels):
            lacking = ", ".join(one for one in channels if one not in files)
            raise UsageError(
                f"{next(iter(files.values()))}: its field lacks the channel {lacking}, which others"
                " have; add its file, or move those of the field away."
            )
        order = tuple(one for one in channels if one in files)
        named = order if order != ("",) else ()
        found.append(Placed(well, tuple(files[one] for one in order), named))
    return found


def _part(part: object) -> tuple[str, str]:
    return str(getattr(part, "field", "")), str(getattr(part, "channel", ""))


def _well(one: str, name: str, root: str) -> str:
    """Return the path of the well in a name; the folders before it are its plate."""
    found = list(WELL.finditer(one))
    if not found:
        raise UsageError(
            f"{name}: holds no well, such as A01 or r01c02; rename it, or leave out --layout plate."
        )
    text = found[-1]["group"]
    plate = one[: found[-1].start()].rpartition("/")[0] or root
    if numbered := NUMBERED.fullmatch(text):
        row, column = _letters(int(numbered[1])), int(numbered[2])
    else:
        lettered = LETTERED.fullmatch(text)
        assert lettered is not None
        row, column = lettered[1], int(lettered[2])
    return f"{plate}.ome.zarr/{row}/{column}"


def _letters(row: int) -> str:
    """Return the letters of a row: 1 is A, 27 is AA."""
    letters = ""
    while row > 0:
        row, digit = divmod(row - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters or "A"


def natural(text: str) -> list[tuple[int, str]]:
    """Return what sorts texts by the numbers in them."""
    return [(int(one), "") if one.isdigit() else (-1, one) for one in DIGITS.split(text) if one]


def _order(well: str, field: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    return natural(well), natural(field)
