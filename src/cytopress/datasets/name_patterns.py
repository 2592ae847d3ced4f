"""Patterns of image file names, which say where a name holds the channel or the group."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cytopress.errors import UsageError


def matches(names: Sequence[str], pattern: str, part: str) -> list[tuple[str, re.Match[str]]]:
    """Return each name with its match of a pattern.

    Raises
    ------
    UsageError
        The pattern is not allowed, or a name does not match it.
    """
    compiled = compile_pattern(pattern, part)
    found = [(name, compiled.fullmatch(name) or compiled.search(name)) for name in names]
    wrong = [name for name, one in found if one is None]
    if wrong:
        raise UsageError(
            f"--{part}s {pattern}: {len(wrong)} of {len(names)} names do not match it, such as"
            f" {wrong[0]}; * is any text, ? one character, and {{{part}}} the {part}."
        )
    return [(name, one) for name, one in found if one is not None]


def compile_pattern(pattern: str, part: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern.

    In a pattern, ``{channel}`` (or ``{group}``: the ``part``) stands for the text that is looked
    for, ``*`` for any text within one folder's name and ``?`` for one character. It is compared
    with the file's name without suffix, or with its path in the folder where it holds a slash. A
    pattern with ``(?P<channel>...)`` is a regular expression, searched for in the path.

    Raises
    ------
    UsageError
        The part is not in it exactly once, or it is not a regular expression.
    """
    if f"(?P<{part}>" in pattern:
        try:
            return re.compile(pattern)
        except re.error as error:
            raise UsageError(f"--{part}s {pattern}: is no regular expression ({error}).") from error
    if pattern.count(f"{{{part}}}") != 1:
        raise UsageError(
            f"--{part}s {pattern}: needs {{{part}}} once, where the names hold the {part}, such as"
            f" '*_{{{part}}}'; * is any text and ? one character."
        )
    text = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    text = text.replace(re.escape(f"{{{part}}}"), f"(?P<{part}>[^/]+?)")
    folder = "" if "/" in pattern else "(?:.*/)?"
    return re.compile(f"^{folder}{text}$")
