"""Options shared by several commands, and their checks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cytopress.atomic import is_special
from cytopress.errors import UsageError
from cytopress.settings import Settings, from_environment

Output = Annotated[
    Path, typer.Option("-o", "--output", help="The file to write, or - for standard output.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1, help="Processes for a folder of files. Unless given: as many as processors."
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace an output that is there; of a folder, files that no earlier run wrote.",
    ),
]
Select = Annotated[
    str | None,
    typer.Option(
        help="Select some of several images: C=1,T=0 or C=DAPI or C=DAPI+GFP or T=0:10 (the first"
        " ten)."
    ),
]
Axes = Annotated[
    str | None, typer.Option(help="Axes of a file whose metadata lack them, such as ZYX.")
]
Images = Annotated[
    Path | None,
    typer.Option(help="A folder of images, with subfolders, in place of a study file."),
]
Channels = Annotated[
    str | None,
    typer.Option(
        help="Which part of the images' names is the channel, such as '*_{channel}' (* is any"
        " text, ? one character); guessed unless given.",
        metavar="PATTERN",
    ),
]
Groups = Annotated[
    str | None,
    typer.Option(
        help="Which part of the names, or of their path, is the group (well, dish, animal), such as"
        " '{group}_*'; subfolders or wells unless given.",
        metavar="PATTERN",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="A channel to use, of those found. Repeatable.", metavar="CHANNEL"),
]
Bits = Annotated[
    int | None,
    typer.Option(
        min=1, max=32, help="Significant bits of the images, where the files do not say them."
    ),
]
PixelSize = Annotated[
    float | None,
    typer.Option(help="Micrometers between pixels, where the files do not say it.", metavar="UM"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Models = Annotated[
    list[Path] | None,
    typer.Option("--models", help="A folder of model packages, searched first.", metavar="DIR"),
]
MaxBytes = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Largest image to decode, in bytes. Unless given: half of the memory (1 GiB with"
        " --untrusted), and no large image of more than 10,000 times its coded bytes.",
    ),
]


def settings_with(models: list[Path] | None, max_bytes: int | None = None) -> Settings:
    """Return the settings of this environment with ``--models`` in front, and ``--max-bytes``.

    Raises
    ------
    UsageError
        A folder does not exist.
    """
    for folder in models or ():
        if not folder.is_dir():
            raise UsageError(f"--models {folder}: there is no such folder.")
    found = from_environment().with_models(*(models or ()))
    return found if max_bytes is None else replace(found, max_bytes=max_bytes)


def check_output(path: Path, source: Path | None = None, *, overwrite: bool = True) -> None:
    """Refuse an output that could not be written, or would destroy ``source``, before any work.

    Raises
    ------
    UsageError
        Its folder does not exist, it is a folder or a disk itself, or it is the input; or it is a
        file, which without ``overwrite`` stays.
    """
    if path.is_block_device() or path.is_socket():
        raise UsageError(f"{path}: is a disk or a socket; name a file or a pipe.")
    if source is not None and source.is_file() and path.exists() and path.samefile(source):
        raise UsageError(f"{path}: is the input; give the output another name.")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name a file.")
    if path.is_file() and not (overwrite or is_special(path)):
        raise UsageError(f"{path}: is there already; --overwrite replaces it.")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: there is no such folder to write into.")
