"""Work on one file of a folder, in a process of its own: encode it, or decode it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cytopress.files.channel_codecs import channel_codecs
from cytopress.files.decode_file import decode_file
from cytopress.files.encode_file import encode_file
from cytopress.files.find import CYTO, find_coded, find_images
from cytopress.files.folder import FolderRun
from cytopress.formats.selection import Selection
from cytopress.settings import Settings

Row = dict[str, Any]


def encoding(
    source: Path,
    out: Path,
    codecs: Sequence[str],
    *,
    select: Selection | None = None,
    axes: str | None = None,
    settings: Settings,
) -> FolderRun:
    """Return the run that codes every image file of a folder to a ``.cyto`` file.

    Parameters are those of `encode_file`, with the texts of the codecs.

    Raises
    ------
    UsageError
        A spec is wrong.
    """
    parsed = channel_codecs(codecs, settings)
    specs = [*([parsed.default] if parsed.default else []), *parsed.by_channel.values()]
    packages = {one.manifest.name: one.digest for spec in specs for one in spec.request.packages}
    work = partial(_encode, codecs=tuple(codecs), select=select, axes=axes, settings=settings)
    return FolderRun(
        source=source,
        out=out,
        find=partial(find_images, without=out),
        work=work,
        suffix=CYTO,
        command="encode",
        options={
            "--codec": " ".join(sorted(codecs)),
            **_shown(select, axes),
            **{f"the model {name}": digest for name, digest in packages.items()},
        },
    )


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
    """
    return FolderRun(
        source=source,
        out=out,
        find=partial(find_coded, without=out),
        work=partial(_decode, select=select, settings=settings, trusted=trusted),
        suffix=".ome.tif",
        command="decode",
        options=_shown(select, None),
    )


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
    codecs: Sequence[str],
    select: Selection | None,
    axes: str | None,
    settings: Settings,
) -> Row:
    parsed = channel_codecs(codecs, settings)
    encoded = encode_file(source, output, parsed, select=select, axes=axes, settings=settings)
    return {
        "raw_bytes": encoded.raw_bytes,
        "coded_bytes": encoded.coded_bytes,
        "codec": ", ".join(dict.fromkeys(image.spec for image in encoded.images)),
    }


def _decode(
    source: Path, output: Path, *, select: Selection | None, settings: Settings, trusted: bool
) -> Row:
    # Whether a file may be replaced is known before the run.
    decoded = decode_file(
        source, output, select=select, settings=settings, trusted=trusted, overwrite=True
    )
    return {
        "raw_bytes": output.stat().st_size,
        "coded_bytes": source.stat().st_size,
        "codec": decoded.first,
    }
