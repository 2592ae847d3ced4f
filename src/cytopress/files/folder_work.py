"""Work on one file of a folder, in a process of its own: encode it, export it, or decode it."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from cytopress.errors import CytopressWarning, UsageError
from cytopress.files.channel_codecs import (
    channel_codecs,
    channel_names,
    channels_of,
    parsed_codecs,
)
from cytopress.files.cyto_file import open_cyto
from cytopress.files.decode_file import decode_file
from cytopress.files.encode_file import EncodedFile, encode_file, opened_source
from cytopress.files.export_tiff import export_tiff
from cytopress.files.exported import ExportedFile
from cytopress.files.find import CYTO, find_coded, find_images
from cytopress.files.folder import FolderRun
from cytopress.files.folder_channels import (
    channels_in_files,
    channels_in_names,
    note_unused_patterns,
)
from cytopress.files.tiff_request import Readers, tiff_codecs
from cytopress.formats.image_file import Place
from cytopress.formats.selection import Selection
from cytopress.settings import Settings

TIFF = ".ome.tif"
# In front of a spec they make a channel a pattern of file names.
WILD = frozenset("*?[")
Row = dict[str, Any]


def encoding(
    source: Path,
    out: Path,
    codecs: Sequence[str],
    *,
    select: Selection | None = None,
    axes: str | None = None,
    settings: Settings,
    readers: Readers | None = None,
    optional: Collection[str] = (),
) -> FolderRun:
    """Return the run that codes every image file of a folder.

    Parameters are those of `encode_file`, with the texts of the codecs: with a pattern in front,
    such as ``*_DNA.tif=jpegxl:ratio=20``, for files of such names. A channel in front may be in a
    file or in its name; those in ``optional`` need be in no file. With ``readers`` OME-TIFFs are
    written that these open (`export_tiff`).

    Raises
    ------
    UsageError
        A spec is wrong, or names a channel that no file has; or the selection fits no file.
    """
    by_pattern, others = _by_pattern(codecs)
    digests: dict[str, str] = {}
    for pattern in (*by_pattern, None):
        texts = _texts_for(by_pattern.get(pattern), others) if pattern else others
        if texts or not by_pattern:
            digests |= _check(texts, settings, readers)
    sought: frozenset[str] = frozenset()
    if source.is_dir():
        files = find_images(source, without=out).sources
        note_unused_patterns(files, by_pattern)
        # A channel that is in some names is missing in none of the other files.
        optional = {*optional, *channels_in_names(list(files), channels_of(others))}
        sought = channels_in_files(
            source, files, set(channels_of(others)) - optional,
            lambda path: opened_source(path, axes, select, settings),
            partial(_check_channels, codecs=codecs, optional={*optional, *channels_of(others)}),
        )  # fmt: skip
    options = {"--codec": " ".join(sorted(codecs)), **_shown(select, axes), **digests}
    if readers is not None:
        options["--readers"] = readers
    return FolderRun(
        source=source,
        out=out,
        find=partial(find_images, without=out),
        work=partial(
            _encode, folder=source, codecs=tuple(codecs), select=select, axes=axes,
            settings=settings, readers=readers, optional=frozenset(optional), sought=sought,
        ),
        suffix=CYTO if readers is None else TIFF,
        command="encode",
        options=options,
    )  # fmt: skip


def decoding(
    source: Path,
    out: Path,
    *,
    select: Selection | None = None,
    settings: Settings,
    trusted: bool = True,
) -> FolderRun:
    """Return the run that decodes every ``.cyto`` file of a folder to an OME-TIFF file.

    Parameters are those of `decode_file`.

    Raises
    ------
    UsageError
        The selection fits no file.
    """
    if source.is_dir() and select:
        files = find_coded(source, without=out).sources
        channels_in_files(source, files, (), partial(open_cyto, select=select, settings=settings))
    return FolderRun(
        source=source,
        out=out,
        find=partial(find_coded, without=out),
        work=partial(_decode, select=select, settings=settings, trusted=trusted),
        suffix=TIFF,
        command="decode",
        options=_shown(select, None),
    )


def codecs_of(name: str, codecs: Sequence[str]) -> list[str]:
    """Return the codecs of a file: of the first pattern that its name fits, and of channels.

    Raises
    ------
    UsageError
        No pattern fits, and there is no codec without one.
    """
    by_pattern, others = _by_pattern(codecs)
    for pattern, spec in by_pattern.items():
        if fnmatchcase(name, pattern):
            return _texts_for(spec, others)
    if not others:
        raise UsageError(
            f"no --codec is for this name (there are {', '.join(by_pattern)}); give a --codec"
            " without a pattern for all others."
        )
    return others


def _by_pattern(codecs: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    by_pattern: dict[str, str] = {}
    others = []
    for text in codecs:
        head, sign, spec = text.partition("=")
        if sign and ":" not in head and WILD & set(head):
            by_pattern[head.strip()] = spec.strip()
        else:
            others.append(text)
    return by_pattern, others


def _texts_for(spec: str | None, others: Sequence[str]) -> list[str]:
    """Return the spec of a pattern in place of the one for all channels."""
    named = [text for text in others if "=" in text and ":" not in text.partition("=")[0]]
    return named if spec is None else [*named, spec]


def _check(texts: Sequence[str], settings: Settings, readers: Readers | None) -> dict[str, str]:
    """Parse specs, so that a wrong one is an error now; return the digests of their models."""
    if readers is not None:
        tiff_codecs(texts, settings, readers=readers)
        return {}
    parsed = channel_codecs(texts, settings)
    specs = [*([parsed.default] if parsed.default else []), *parsed.by_channel.values()]
    return {f"the model {one.name}": one.sha256 for spec in specs for one in spec.request.packages}


def _check_channels(
    key: str,
    path: Path,
    places: Sequence[Place],
    *,
    codecs: Sequence[str],
    optional: Collection[str],
) -> None:
    """Refuse a file with a channel that has no codec."""
    texts = codecs_of(path.name, codecs)
    parsed_codecs(texts, str, name=key, optional=optional).for_places(places, path)


def _shown(select: Selection | None, axes: str | None) -> dict[str, str]:
    found = {}
    if select:
        found["--select"] = ",".join(f"{letter}={at}" for letter, at in sorted(select.items()))
    if axes is not None:
        found["--axes"] = axes
    return found


def _encode(
    source: Path,
    output: Path,
    *,
    folder: Path,
    codecs: Sequence[str],
    readers: Readers | None,
    settings: Settings,
    optional: frozenset[str],
    sought: frozenset[str],
    **options: Any,
) -> Row:
    """Encode one file; channels that are ``sought`` are in some files, and noted in the others."""
    texts = codecs_of(source.name, codecs)
    name = source.relative_to(folder).as_posix()
    encoded: EncodedFile | ExportedFile
    if readers is None:
        parsed = channel_codecs(texts, settings, name=name, optional=optional | sought)
        encoded = encode_file(source, output, parsed, settings=settings, **options)
        more: Mapping[str, Any] = {}
    else:
        for_tiff = tiff_codecs(
            texts, settings, readers=readers, name=name, optional=optional | sought
        )
        encoded = export_tiff(source, output, for_tiff, settings=settings, **options)
        more = {"max_error": max(image.max_error for image in encoded.images)}
    _note_absent(sought, encoded)
    return {
        "raw_bytes": encoded.raw_bytes,
        "coded_bytes": encoded.coded_bytes,
        "metadata_bytes": encoded.metadata_bytes,
        "codec": ", ".join(dict.fromkeys(image.spec for image in encoded.images)),
        **more,
    }


def _note_absent(sought: frozenset[str], encoded: EncodedFile | ExportedFile) -> None:
    names = channel_names(image.place for image in encoded.images).values()
    absent = sorted(sought.difference(*names)) if sought else []
    if absent:
        text = f"has no channel {' and '.join(absent)}, which --codec names"
        warnings.warn(text, CytopressWarning, stacklevel=2)


def _decode(
    source: Path, output: Path, *, select: Selection | None, settings: Settings, trusted: bool
) -> Row:
    # Whether a file may be replaced is known before the run.
    decoded = decode_file(
        source, output, select=select, settings=settings, trusted=trusted, overwrite=True
    )
    return {
        "raw_bytes": decoded.raw_bytes,
        "coded_bytes": source.stat().st_size,
        "codec": decoded.codec,
    }
