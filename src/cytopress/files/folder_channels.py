"""Channels of a folder's files: what no file has is refused before any file is coded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from fnmatch import fnmatchcase
from pathlib import Path

from cytopress.datasets.image_names import channel_in, split_names
from cytopress.errors import CytopressError, CytopressWarning, UnknownNameError, UsageError
from cytopress.files.channel_codecs import channel_names
from cytopress.files.cyto_file import CytoFile
from cytopress.files.find import stem
from cytopress.formats.image_file import ImageFile, Place

Opened = AbstractContextManager[ImageFile | CytoFile]


def channels_in_names(names: Sequence[str], channels: Collection[str]) -> frozenset[str]:
    """Return those of some channels that the name of a file holds."""
    found = set()
    for name in names:
        # A name that holds several is an error of that file.
        with suppress(UsageError):
            found.add(channel_in(name, channels))
    return frozenset(found - {""})


def channels_in_files(
    folder: Path,
    files: Mapping[str, Path],
    channels: Collection[str],
    opened: Callable[[Path], Opened],
    check: Callable[[str, Path, Sequence[Place]], object] = lambda *_: None,
) -> frozenset[str]:
    """Return ``channels`` after a search for a file with each; no pixels are read.

    As few files are opened as show that each channel is there, and that one of them can be coded
    as asked; those that cannot be read count for nothing.

    Parameters
    ----------
    folder : Path
        For the messages.
    files : mapping
        The files by their names.
    channels : collection of str
        Names or numbers of channels, as ``--codec CHANNEL=SPEC`` gives them.
    opened : callable
        Opens the images that are asked of a file.
    check : callable, optional
        Takes a file's name, path and images; raises a UsageError where they cannot be coded so.

    Raises
    ------
    UsageError
        No file has a channel; or what is asked fits no file.
    """
    left, known = set(channels), dict[str, None]()
    fits, refusal = False, ""
    for key, path in files.items():
        try:
            places = _places(path, opened)
            known |= dict.fromkeys(place.channel_name for place in places)
            left -= {name for one in channel_names(places).values() for name in one}
            check(key, path, places)
        except UsageError as error:
            refusal = f"{key}: {str(error).removeprefix(f'{path}: ')}"
        except (CytopressError, OSError):
            continue
        else:
            fits = True
        if fits and not left:
            return frozenset(channels)
    if left and known:
        listed = list(dict.fromkeys([*_guessed(files), *known]))
        if len(known) == 1 and len(listed) > 1:
            # The one channel of each file has its name from the file's name.
            listed = listed[:-1]
        raise UnknownNameError("channel", sorted(left)[0], listed, f" in the files of {folder}")
    if refusal and not fits:
        raise UsageError(f"{folder}: what is asked fits no file of {len(files)}, such as {refusal}")
    return frozenset(channels)


def note_unused_patterns(files: Mapping[str, Path], patterns: Collection[str]) -> None:
    """Warn of patterns of file names that no file's name fits."""
    names = [path.name for path in files.values()]
    for pattern in patterns:
        if names and not any(fnmatchcase(name, pattern) for name in names):
            text = f"--codec {pattern}=...: no file has such a name, so nothing is coded by it"
            warnings.warn(f"{text}.", CytopressWarning, stacklevel=3)


def _places(path: Path, opened: Callable[[Path], Opened]) -> Sequence[Place]:
    # Whoever codes the file says what it notes.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CytopressWarning)
        with opened(path) as images:
            return images.places


def _guessed(files: Mapping[str, Path]) -> list[str]:
    """Return the channels that the names of files hold, as a study would guess them."""
    parts = None
    with suppress(UsageError):
        parts = split_names([stem(key) for key in files])
    found = dict.fromkeys(part.channel for part in parts or ())
    return list(found) if len(found) > 1 else []
