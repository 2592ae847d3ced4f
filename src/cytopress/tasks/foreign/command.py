"""Command of a program: where the paths of the two images go, and which Python runs it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

# A whole argument, or the value of an option: a script that is an argument may hold braces.
PLACE = re.compile(r"(?P<option>--?[\w-]+=)?\{(?P<image>original|decoded)\}")
PYTHON = "python"


def has_places(command: Sequence[str]) -> bool:
    """Return whether a command says where the original and the decoded image go."""
    return any(PLACE.fullmatch(part) for part in command)


def lacks_place(command: Sequence[str]) -> str:
    """Return the place that a command with the other one lacks, "" where none is missing."""
    found = {place["image"] for part in command if (place := PLACE.fullmatch(part))}
    return next((name for name in ("original", "decoded") if found and name not in found), "")


def without_places(command: Sequence[str]) -> tuple[str, ...]:
    """Return the command as it is called for its scores, without images."""
    return tuple(part for part in command if not PLACE.fullmatch(part))


def with_images(command: Sequence[str], original: str, decoded: str) -> tuple[str, ...]:
    """Return the command with the paths of two images: in their places, or else at its end."""
    paths = {"original": original, "decoded": decoded}
    if not has_places(command):
        return (*command, *paths.values())
    return tuple(
        (place["option"] or "") + paths[place["image"]]
        if (place := PLACE.fullmatch(part))
        else part
        for part in command
    )


def with_own_python(command: Sequence[str]) -> list[str]:
    """Return the command with this interpreter in place of ``python``, which has our packages."""
    return [sys.executable if command[0] == PYTHON else command[0], *command[1:]]
