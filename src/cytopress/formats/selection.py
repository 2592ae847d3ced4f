"""Selections of images in a file by channel, time, plane and scene: ``C=DAPI,T=3``."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Mapping, Sequence

from cytopress.errors import CytopressWarning, UsageError
from cytopress.formats.scene import Scene

Position = int | str
SPAN = re.compile(r"([0-9]*):([0-9]*)")
Selection = Mapping[str, Position | Sequence[Position]]


def parse_selection(text: str) -> dict[str, Position | Sequence[Position]]:
    """Parse a selection such as ``C=1,T=0``, ``C=DAPI+GFP`` or ``T=0:10`` (the first ten)."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(key and sign and value for key, sign, value in pairs):
        raise UsageError(f"--select takes the form C=1,T=0, not {text!r}.")
    if len({key for key, _, _ in pairs}) < len(pairs):
        raise UsageError(
            f"--select gives an axis twice: {text!r}; join several with +, as in C=0+1."
        )
    return {key.strip(): value.strip() for key, _, value in pairs}


def coordinates(scenes: Sequence[Scene], select: Selection) -> list[dict[str, int]]:
    """Return the coordinates (S, T, C and, where selected, Z) of each selected image.

    Raises
    ------
    UsageError
        The selection is not in the file; the message lists the file's coordinates.
    """
    unknown = set(select) - set("STCZ")
    if unknown:
        raise UsageError(f"--select takes C, T, Z and S, not {', '.join(sorted(unknown))}.")
    taken: list[dict[str, int]] = []
    for number in _scene_numbers(scenes, select):
        scene = scenes[number]
        if scene.fault is not None:
            raise scene.fault
        ranges = {
            letter: _chosen(scenes, scene, letter, scene.length(letter), select)
            for letter in ("T", "C", *("Z" for _ in range("Z" in select)))
        }
        if len(ranges.get("Z", ())) > 1:
            raise UsageError(f"{scene.path}: --select takes one plane along Z, or all of them.")
        taken.extend(
            {"S": number, **dict(zip(ranges, values, strict=True))}
            for values in itertools.product(*ranges.values())
        )
    return taken


def _scene_numbers(scenes: Sequence[Scene], select: Selection) -> Sequence[int]:
    """Return the scenes to read: where none is selected, those that can be, gray before color."""
    numbers = _chosen(scenes, scenes[0], "S", len(scenes), select)
    if "S" in select:
        return numbers
    readable = [number for number in numbers if scenes[number].fault is None]
    kept = [number for number in readable if not scenes[number].color] or readable or numbers
    left = [number for number in numbers if number not in kept]
    if left:
        listed = ", ".join(f"S={number}" for number in left)
        reasons = {str(scenes[number].fault or "it is stored as color") for number in left}
        warnings.warn(
            f"{scenes[0].path}: {listed} is left out ({'; '.join(sorted(reasons)).rstrip('.')});"
            f" select it to read it.",
            CytopressWarning,
            stacklevel=2,
        )
    return kept


def _chosen(
    scenes: Sequence[Scene], scene: Scene, letter: str, length: int, select: Selection
) -> Sequence[int]:
    if letter not in select:
        return range(length)
    asked = select[letter]
    if isinstance(asked, int | str):
        single = _index(scene, letter, length, asked)
        several = None if single is not None else _parts(asked, length)
        if several is None:
            return (_required(scenes, scene, letter, single, asked),)
        asked = several
    chosen = [
        _required(scenes, scene, letter, _index(scene, letter, length, one), one) for one in asked
    ]
    if not chosen:
        raise UsageError(f"{scene.path}: --select names nothing along {letter}.")
    return sorted(set(chosen))


def _parts(asked: Position, length: int) -> Sequence[Position] | None:
    """Return what ``0:10`` or ``DAPI+GFP`` name; None where the text is neither."""
    if not isinstance(asked, str):
        return None
    if span := SPAN.fullmatch(asked):
        first, end = (int(text) if text else None for text in span.groups())
        return range(length)[first:end]
    return asked.split("+") if "+" in asked else None


def _required(
    scenes: Sequence[Scene], scene: Scene, letter: str, index: int | None, asked: Position
) -> int:
    if index is None:
        raise UsageError(
            f"{scene.path}: there is no {letter}={asked}; the file has {describe(scenes)}."
        )
    return index


def _index(scene: Scene, letter: str, length: int, asked: Position) -> int | None:
    """Return the position that a number or a channel's name means; None where there is none."""
    index = asked if isinstance(asked, int) else None
    if isinstance(asked, str):
        names = [scene.channel_name(i) for i in range(length)] if letter == "C" else []
        index = names.index(asked) if asked in names else None
        if index is None and asked.isdecimal():
            index = int(asked)
            _warn_of_name(scene, letter, asked)
    return index if index is not None and 0 <= index < length else None


def _warn_of_name(scene: Scene, letter: str, asked: str) -> None:
    """Warn where a number is also the name of another channel."""
    named = [at for at, name in enumerate(scene.channels) if name.strip() == asked]
    if letter == "C" and named and int(asked) not in named:
        warnings.warn(
            f"{scene.path}: C={asked} is taken as a channel's number, from 0; the channel named"
            f" {asked} is C={named[0]}.",
            CytopressWarning,
            stacklevel=2,
        )


def describe(scenes: Sequence[Scene]) -> str:
    """Describe the coordinates of a file in a few words."""
    scene = scenes[0]
    parts = []
    for letter, length in (("S", len(scenes)), *((k, scene.length(k)) for k in "CTZ")):
        if length > 1:
            names = [scene.channel_name(i) for i in range(length)] if letter == "C" else []
            named = [name for i, name in enumerate(names) if name != str(i)]
            extra = f" ({', '.join(named)})" if named else ""
            parts.append(f"{letter}=0 to {length - 1}{extra}")
    return ", ".join(parts) or "one image"


def label(scenes: Sequence[Scene], at: Mapping[str, int]) -> str:
    """Return the selection of one image among the others of its file."""
    scene = scenes[at["S"]]
    lengths = {letter: scene.length(letter) for letter in "CTZ"} | {"S": len(scenes)}
    parts = [
        f"{letter}={scene.channel_name(at[letter]) if letter == 'C' else at[letter]}"
        for letter, length in lengths.items()
        if letter in at and length > 1
    ]
    return ",".join(parts)
