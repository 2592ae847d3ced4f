"""The commands ``encode`` and ``decode``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cytopress.cli.exporting import TIFFS, Readers, export, summary
from cytopress.cli.folders import code_folder, is_folder
from cytopress.cli.options import (
    Axes,
    Jobs,
    MaxBytes,
    Models,
    Output,
    Overwrite,
    Select,
    check_output,
    settings_with,
)
from cytopress.cli.pipes import IMAGES, check_source, output_file, print_written, source_file
from cytopress.cli.progress_bars import coding
from cytopress.cli.recommended import (
    Choice,
    Recommended,
    RecommendedChannel,
    RecommendedMargin,
    RecommendedTask,
    specs_of,
)
from cytopress.errors import CytopressWarning, UsageError
from cytopress.image import Image
from cytopress.settings import Settings

if TYPE_CHECKING:
    from cytopress.formats.selection import Selection


# What a .cyto file would be taken for.
NO_CYTO = (".jpg", ".jpeg", ".jp2", ".jxl", ".png", ".zarr")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(encode)
    app.command()(decode)


def encode(
    image: Annotated[
        Path,
        typer.Argument(
            help="OME-TIFF, TIFF, PNG, OME-Zarr, .cyto, or a format of bioio's plugins; - is stdin."
            " A folder: every image file in it."
        ),
    ],
    output: Output,
    *,
    codec: Annotated[
        list[str] | None,
        typer.Option(
            help="Codec and target, such as jpegxl:ratio=50; with a channel in front, such as"
            " DNA=jpegxl:ratio=20, for that channel. Repeatable."
        ),
    ] = None,
    recommended: Recommended = None,
    task: RecommendedTask = None,
    margin: RecommendedMargin = None,
    channel: RecommendedChannel = None,
    select: Select = None,
    axes: Axes = None,
    models: Models = None,
    max_bytes: MaxBytes = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
    readers: Annotated[
        Readers | None,
        typer.Option(
            help="Who opens an OME-TIFF that -o names (or, of a folder, OME-TIFFs to write)."
            " everyone: codecs that Bio-Formats lists; tifffile: JPEG XL and LERC, too."
        ),
    ] = None,
) -> None:
    """Compress every image of a file, with its metadata, into one .cyto file.

    With -o FILE.ome.tif, into a tiled OME-TIFF that Fiji and other programs open.
    With a folder, -o names a folder, too: the same command resumes, and does what is missing.
    """
    from cytopress.files import channel_codecs, encode_file

    settings = settings_with(models, max_bytes)
    choice = Choice(recommended=recommended, task=task, margin=margin, channel=channel)
    check_source(image)
    folder = is_folder(image)
    specs = specs_of(codec, choice, settings, name="" if folder else image.name)
    if folder:
        from cytopress.files.folder_work import encoding

        asked = encoding(
            image, output, specs.texts,
            select=selection(select), axes=axes, settings=settings,
            readers=None if readers is None else readers.value, optional=specs.optional,
        )  # fmt: skip
        code_folder(asked, jobs=jobs, overwrite=overwrite)
        return
    check_output(output, image)
    if readers is None and output.suffix.lower() in NO_CYTO:
        raise UsageError(f"{output}: encode writes .cyto files, or TIFF files such as a.ome.tif.")
    if readers is not None or output.suffix.lower() in TIFFS:
        check_select(image, select=select, axes=axes)
        export(
            image, output, specs, select=selection(select), axes=axes,
            readers=readers or Readers.everyone, settings=settings,
        )  # fmt: skip
        return
    codecs = channel_codecs(specs.texts, settings, name=image.name, optional=specs.optional)
    with (
        coding(f"Encoding {image.name}") as progress,
        source_file(image) as source,
        output_file(output, [".cyto"]) as path,
    ):
        check_select(source, select=select, axes=axes)
        encoded = encode_file(
            source, path, codecs,
            select=selection(select), axes=axes, settings=settings, progress=progress,
        )  # fmt: skip
    channels = {one.place.channel_name for one in encoded.images}
    if recommended is not None and not specs.optional and len(channels) > 1:
        text = (
            f"{recommended}: what was recommended for one kind of image codes all"
            f" {len(channels)} channels; --select C=NAME takes one of them"
        )
        warnings.warn(text, CytopressWarning, stacklevel=1)
    print_written(output, summary(encoded))


def decode(
    file: Annotated[
        Path, typer.Argument(help="A .cyto file; - is stdin. A folder: every .cyto file in it.")
    ],
    output: Output,
    *,
    select: Select = None,
    models: Models = None,
    max_bytes: MaxBytes = None,
    untrusted: Annotated[
        bool,
        typer.Option(
            "--untrusted",
            help="Decode a stranger's file in an own process, with limits of time and memory.",
        ),
    ] = False,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Decompress a .cyto file into an OME-TIFF (or PNG).

    The OME-XML is that of the source, and says how pixels were coded.
    With a folder, -o names a folder, too: the same command resumes, and does what is missing.
    """
    from cytopress.files import decode_file

    settings = settings_with(models, max_bytes)
    check_source(file)
    if is_folder(file):
        from cytopress.files.folder_work import decoding

        asked = decoding(
            file, output, select=selection(select), settings=settings, trusted=not untrusted
        )
        code_folder(asked, jobs=jobs, overwrite=overwrite)
        return
    check_output(output, file, overwrite=overwrite)
    with (
        coding(f"Decoding {file.name}") as progress,
        source_file(file) as source,
        output_file(output, IMAGES) as path,
    ):
        decoded = decode_file(
            source, path,
            select=selection(select), settings=settings, trusted=not untrusted,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    more = f"{decoded.images} images, the first: " if decoded.images > 1 else ""
    print_written(output, f"{more}{decoded.first}")


def read_one(
    file: Path, *, select: str | None, axes: str | None, settings: Settings | None = None
) -> Image:
    """Read the one image that a command works on, from an image file or a .cyto file.

    Raises
    ------
    UsageError
        Not exactly one image of the file is selected; or a selection or axes are given for a .cyto
        file of one image with its axes.
    """
    from cytopress.files import is_cyto, open_cyto
    from cytopress.formats.images import read_one as read_image

    if not is_cyto(file):
        return read_image(file, axes=axes, select=selection(select))
    check_select(file, select=select, axes=axes)
    with open_cyto(file, select=selection(select), settings=settings) as opened:
        if len(opened.places) > 1:
            raise UsageError(
                f"{file}: one image is needed, but the file has {len(opened.places)}:"
                f" {opened.describe()}; choose one, such as --select {opened.places[0].label}."
            )
        return opened.read(0)


def selection(text: str | None) -> Selection | None:
    """Parse ``--select``."""
    from cytopress.formats.selection import parse_selection

    return parse_selection(text) if text else None


def check_select(file: Path, *, select: str | None, axes: str | None) -> None:
    """Refuse ``--axes`` for a .cyto file, and ``--select`` where it holds one image.

    Raises
    ------
    UsageError
        The message says that they do not apply.
    """
    from cytopress.files import is_cyto, open_cyto

    if (select is None and axes is None) or not is_cyto(file):
        return
    with open_cyto(file) as opened:
        several = len(opened.places) > 1
    if not several:
        raise UsageError(
            f"{file}: this .cyto file holds one image with its axes, so --select and --axes do not"
            " apply; decode it first to select a part."
        )
    if axes is not None:
        raise UsageError(
            f"{file}: the images of a .cyto file have their axes: --axes does not apply."
        )
