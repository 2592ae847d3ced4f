"""Parts of image file names: which is the channel and which the group, guessed or by a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cytopress.datasets.name_patterns import matches
from cytopress.errors import UsageError

# How microscopes write a channel into names; the first that all names hold. "drop" is a part that
# differs between the channels of a field.
GUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f-]+"
CONVENTIONS = tuple(
    re.compile(text)
    for text in (
        r"r\d+c\d+f\d+(?:p\d+)?-(?P<channel>ch\d+)",
        r"T\d+F\d+L\d+(?P<drop>A\d+)Z\d+(?P<channel>C\d+)$",
        rf"_(?P<channel>w\d(?:(?!{GUID})[^_/]*)?)(?P<drop>{GUID})?(?=_|$)",
        r"(?<![A-Za-z])(?P<channel>[Cc]h(?:annel)?[ _=]?\d+)(?!\d)",
        r"(?:^|[_\-. /])(?P<channel>[Cc]=\d+|[Cc]\d|c\d\d)(?=[_\-. /]|$)",
        r"(?<=[A-P]\d\df\d\d)(?P<channel>d\d)$",
        r"(?:^|[_\-. ])(?P<channel>(?:wv|wl|wavelength)[ _=-]?\d+)(?=[_\-. /]|$)",
    )
)
# Words that name a channel, in lower case: stains, proteins, filters, transmitted light.
WORDS = frozenset(
    {
        "dna", "dapi", "hoechst", "h33342", "nuclei", "nucleus", "nuc", "er", "cona", "rna", "syto",
        "syto14", "agp", "actin", "phalloidin", "golgi", "wga", "mito", "mitotracker", "tubulin",
        "membrane", "memb", "lysotracker", "lyso", "edu", "brdu", "ki67", "calcein", "gfp", "egfp",
        "yfp", "eyfp", "cfp", "ecfp", "rfp", "bfp", "mcherry", "cherry", "mscarlet", "tdtomato",
        "tomato", "venus", "cerulean", "fitc", "tritc", "texasred", "txred", "cy2", "cy3", "cy3.5",
        "cy5", "cy5.5", "cy7", "bf", "brightfield", "bright", "phase", "ph", "pc", "phasecontrast",
        "dic", "trans", "transmitted", "tl", "oblique", "light", "stain", "fluo", "fluor", "input",
        "target", "fluorescence", "405", "488", "532", "546", "555", "561", "568", "594", "633",
        "640", "647", "730",
    }
)  # fmt: skip
# Those of transmitted light.
TRANSMITTED = frozenset(
    {
        "bf", "brightfield", "bright", "phase", "ph", "pc", "phasecontrast", "dic", "trans",
        "transmitted", "tl", "oblique", "light", "input",
    }
)  # fmt: skip
DYE = re.compile(r"(?:alexa(?:fluor)?|af|a|atto)\d{3}|draq\d")
# Files about images, which are not images to compress.
DERIVED = frozenset(
    {
        "mask", "masks", "label", "labels", "seg", "segmentation", "outline", "outlines", "overlay",
        "thumb", "thumbnail", "prediction", "predicted", "probabilities",
    }
)  # fmt: skip
TOKEN = re.compile(r"[^_\-. /]+")
WELL = re.compile(
    r"(?<![A-Za-z0-9])(?P<group>r\d+c\d+|[A-P](?:0[1-9]|1\d|2[0-4]))(?=f\d|p\d|[_\-. /]|$)"
)


@dataclass(frozen=True)
class NameParts:
    """The channel that a name holds, "" for none, and the name without it."""

    field: str
    channel: str


def split_names(names: Sequence[str], pattern: str | None = None) -> list[NameParts] | None:
    """Part file names into field and channel.

    Parameters
    ----------
    names : sequence of str
        Paths relative to the folder, with slashes and without suffix.
    pattern : str, optional
        See `cytopress.datasets.name_patterns.compile_pattern`; guessed unless given.

    Returns
    -------
    list of NameParts, or None
        In the order of ``names``; None where no part that all names hold looks like a channel.

    Raises
    ------
    UsageError
        The pattern is not allowed, or a name does not match it; or some names hold no channel and
        most do.
    """
    if pattern is not None:
        return [_without(name, found) for name, found in matches(names, pattern, "channel")]
    guesses = [
        [found and _without(name, found) for name in names for found in [convention.search(name)]]
        for convention in CONVENTIONS
    ]
    guesses.append(_by_words(names))
    for guess in guesses:
        if all(guess):
            return [part for part in guess if part]
    for guess in guesses:
        _refuse_some(names, guess)
    return None


def _refuse_some(names: Sequence[str], guess: Sequence[NameParts | None]) -> None:
    """Refuse names most of which hold a channel: the others would be taken for one with them."""
    channels = {part.channel for part in guess if part}
    left = [name for name, part in zip(names, guess, strict=True) if not part]
    if len(channels) > 1 and 2 * len(left) < len(names):
        raise UsageError(
            f"{len(left)} of {len(names)} names do not hold a channel, such as {left[0]}, and the"
            f" others do ({', '.join(sorted(channels)[:3])}, ...); move these files away, or say"
            " which part is the channel with --channels, such as '*_{channel}'."
        )


def channel_in(name: str, channels: Iterable[str]) -> str:
    """Return which of some channels a file's name holds, "" for none.

    Parameters
    ----------
    name : str
        Path relative to a folder, with slashes; a suffix does not matter.
    channels : iterable of str
        Known channels. Case does not matter; numbers need three digits.

    Raises
    ------
    UsageError
        The name holds several of them.
    """
    # "0" and "12" are numbers of fields as well.
    known = {one.casefold(): one for one in channels if not one.isdecimal() or len(one) > 2}
    stem = name.rpartition(".")[0] or name
    said = [found["channel"].casefold() for one in CONVENTIONS for found in one.finditer(stem)]
    held = {one for one in said if one in known} or {
        one
        for one in known
        if re.search(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])", name.casefold())
    }
    if len(held) > 1:
        listed = " and ".join(sorted(known[one] for one in held))
        raise UsageError(
            f"{name}: the name holds the channels {listed}; give the codec of files named so with"
            " --codec 'PATTERN=SPEC'."
        )
    return known[held.pop()] if held else ""


def is_transmitted_light(channel: str) -> bool:
    """Return whether a channel's name says that it is no fluorescence."""
    return channel.lower() in TRANSMITTED


def is_derived(name: str) -> bool:
    """Return whether a file's name says that it holds labels, an overlay or a thumbnail."""
    return any(token.lower() in DERIVED for token in TOKEN.findall(name.rpartition("/")[2]))


def groups_of(names: Sequence[str], pattern: str | None = None) -> tuple[list[str], str] | None:
    """Return the group of each name and what it is; None where the names tell none apart.

    Subfolders are groups, else the wells that all names hold; a pattern has ``{group}``.

    Raises
    ------
    UsageError
        As of `split_names`.
    """
    if pattern is not None:
        found = [one["group"] for _, one in matches(names, pattern, "group")]
        return found, f"by --groups {pattern}"
    folders = [name.rpartition("/")[0] for name in names]
    if len(set(folders)) > 1:
        return [folder or "." for folder in folders], "the subfolders"
    wells = [WELL.search(name) for name in names]
    values = [one["group"] for one in wells if one]
    if len(values) == len(names) and len(set(values)) > 1:
        return values, "the wells in the names"
    return None


def _by_words(names: Sequence[str]) -> list[NameParts | None]:
    """Part names at the column of tokens of which most are words for a channel.

    An unknown word counts where the same field has a known one: the next stain of a panel.
    """
    tokens = [list(TOKEN.finditer(name)) for name in names]
    best: list[NameParts | None] = [None] * len(names)
    most = max(map(len, tokens), default=0)
    for column in (*range(-1, -most - 1, -1), *range(most)):
        parts = [
            _cut(name, [row[column].span()], row[column][0])
            if -len(row) <= column < len(row)
            else None
            for name, row in zip(names, tokens, strict=True)
        ]
        known = {part.field for part in parts if part and _is_word(part.channel.lower())}
        values = {part.channel.lower() for part in parts if part}
        if 2 * sum(map(_is_word, values)) < len(values):
            continue
        parts = [part if part and part.field in known else None for part in parts]
        if sum(map(bool, parts)) > sum(map(bool, best)):
            best = parts
    return best


def _is_word(token: str) -> bool:
    return token in WORDS or DYE.fullmatch(token) is not None


def _without(name: str, found: re.Match[str]) -> NameParts:
    spans = [found.span(part) for part in found.groupdict() if found[part] is not None]
    return _cut(name, spans, found["channel"])


def _cut(name: str, spans: Sequence[tuple[int, int]], channel: str) -> NameParts:
    """Remove parts of a name, each with one separator before it, or else behind it."""
    left = name
    for start, end in sorted(spans, reverse=True):
        before, behind = left[:start], left[end:]
        if before and before[-1] in "_-. ":
            before = before[:-1]
        elif behind and behind[0] in "_-. /" and (not before or before.endswith("/")):
            behind = behind[1:]
        left = before + behind
    return NameParts(left.strip("/") or "field", channel)
