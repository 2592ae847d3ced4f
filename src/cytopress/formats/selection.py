"""Which images of a file to take, and what tells them apart: ``C=DAPI,T=3``."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from cytopress.errors import UsageError
from cytopress.formats.scan import Scan

Selection = Mapping[str, int | str]


def parse_selection(text: str) -> dict[str, int | str]:
    """Return the mapping that ``C=1,T=0`` or ``C=DAPI`` stands for."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(key and sign and value for key, sign, value in pairs):
        raise UsageError(f"--select takes the form C=1,T=0, not {text!r}.")
    if len({key for key, _, _ in pairs}) < len(pairs):
        raise UsageError(f"--select names an axis twice: {text!r}.")
    return {key.strip(): value.strip() for key, _, value in pairs}


def coordinates(scans: Sequence[Scan], select: Selection) -> list[dict[str, int]]:
    """Return the coordinates (S, T, C and, where selected, Z) of each image to take.

    Raises
    ------
    UsageError
        The selection names something that is not there; the message says what is.
    """
    unknown = set(select) - set("STCZ")
    if unknown:
        raise UsageError(f"--select takes C, T, Z and S, not {', '.join(sorted(unknown))}.")
    taken: list[dict[str, int]] = []
    for scene in _chosen(scans, scans[0], "S", len(scans), select):
        scan = scans[scene]
        ranges = {
            letter: _chosen(scans, scan, letter, scan.length(letter), select)
            for letter in ("T", "C", *("Z" for _ in range("Z" in select)))
        }
        taken.extend(
            {"S": scene, **dict(zip(ranges, values, strict=True))}
            for values in itertools.product(*ranges.values())
        )
    return taken


def _chosen(
    scans: Sequence[Scan], scan: Scan, letter: str, length: int, select: Selection
) -> Sequence[int]:
    if letter not in select:
        return range(length)
    asked = select[letter]
    index = asked if isinstance(asked, int) else None
    if isinstance(asked, str):
        names = [scan.channel_name(i) for i in range(length)] if letter == "C" else []
        index = names.index(asked) if asked in names else None
        if index is None and asked.isdecimal():
            index = int(asked)
    if index is None or not 0 <= index < length:
        raise UsageError(f"{scan.path}: there is no {letter}={asked}; there is {describe(scans)}.")
    return (index,)


def describe(scans: Sequence[Scan]) -> str:
    """Say in a few words which coordinates a file has."""
    scan = scans[0]
    parts = []
    for letter, length in (("S", len(scans)), *((k, scan.length(k)) for k in "CTZ")):
        if length > 1:
            names = [scan.channel_name(i) for i in range(length)] if letter == "C" else []
            named = [name for name in names if not name.isdecimal()]
            extra = f" ({', '.join(named)})" if named else ""
            parts.append(f"{letter}=0 to {length - 1}{extra}")
    return ", ".join(parts) or "one image"


def label(scans: Sequence[Scan], at: Mapping[str, int]) -> str:
    """Return what tells this image from the file's others, in the form of a selection."""
    scan = scans[at["S"]]
    lengths = {"C": scan.length("C"), "T": scan.length("T"), "Z": scan.length("Z"), "S": len(scans)}
    parts = [
        f"{letter}={scan.channel_name(at[letter]) if letter == 'C' else at[letter]}"
        for letter, length in lengths.items()
        if letter in at and length > 1
    ]
    return ",".join(parts)
