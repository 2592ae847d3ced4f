"""The commands ``encode``, ``decode`` and ``info``."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cytopress.cli.options import (
    AsJson,
    Axes,
    MaxBytes,
    Models,
    Output,
    Select,
    check_output,
    settings_with,
)
from cytopress.cli.pipes import IMAGES, output_file, print_written, source_file
from cytopress.cli.progress_bars import coding
from cytopress.cli.recommended import (
    Choice,
    Recommended,
    RecommendedChannel,
    RecommendedMargin,
    RecommendedTask,
    request_of,
)
from cytopress.errors import (
    CorruptDataError,
    CytopressWarning,
    NotAvailableError,
    PackageError,
    UsageError,
)
from cytopress.image import Image
from cytopress.settings import Settings

Result = TypeVar("Result")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(encode)
    app.command()(decode)
    app.command()(info)


def encode(
    image: Annotated[
        Path,
        typer.Argument(
            help="OME-TIFF, TIFF, PNG, OME-Zarr, or a format of bioio's plugins; - is stdin."
        ),
    ],
    output: Output,
    *,
    codec: Annotated[
        str | None, typer.Option(help="Codec and target, such as jpegxl:ratio=50.")
    ] = None,
    recommended: Recommended = None,
    task: RecommendedTask = None,
    margin: RecommendedMargin = None,
    channel: RecommendedChannel = None,
    select: Select = None,
    axes: Axes = None,
    models: Models = None,
    max_bytes: MaxBytes = None,
) -> None:
    """Compress one image into one .cyto file."""
    from cytopress.atomic import atomic_file

    settings = settings_with(models, max_bytes)
    check_output(output, image)
    choice = Choice(recommended=recommended, task=task, margin=margin, channel=channel)
    request = request_of(codec, choice, settings)
    with source_file(image) as source:
        original = read_one(source, select=select, axes=axes, settings=settings)
    with coding(f"Encoding {image.name}"):
        solution = request.solve(original)
    for text in solution.warnings:
        warnings.warn(f"{request.spec}: {text}", CytopressWarning, stacklevel=1)
    with output_file(output, [".cyto"]) as path, atomic_file(path) as temporary:
        temporary.write_bytes(solution.data)
    raw, coded = original.raw_bytes, len(solution.data)
    print_written(output, f"{raw} -> {coded} bytes, {raw / coded:.2f}x smaller, {solution.codec}")


def decode(
    file: Annotated[Path, typer.Argument(help="A .cyto file; - is stdin.")],
    output: Output,
    models: Models = None,
    max_bytes: MaxBytes = None,
    untrusted: Annotated[
        bool,
        typer.Option(
            "--untrusted",
            help="Decode a stranger's file in an own process, with limits of time and memory.",
        ),
    ] = False,
) -> None:
    """Decompress a .cyto file into an OME-TIFF (or PNG)."""
    from cytopress.codecs.registry import decode as decode_bytes
    from cytopress.formats.images import write

    settings = settings_with(models, max_bytes)
    check_output(output, file)
    with coding(f"Decoding {file.name}"), source_file(file) as source:
        data, trusted = _read_bytes(source), not untrusted
        image = _named(source, lambda: decode_bytes(data, settings, trusted=trusted))
    with output_file(output, IMAGES) as path:
        write(path, [image])
    print_written(output, str(image))


def info(
    file: Annotated[Path, typer.Argument(help="A .cyto file, or an image file; - is stdin.")],
    axes: Axes = None,
    as_json: AsJson = False,
    models: Models = None,
) -> None:
    """Show the content of a file: its image, codec, options, target and size."""
    settings = settings_with(models)
    with source_file(file) as source:
        facts = _cyto_facts(source, settings) if _is_cyto(source) else _image_facts(source, axes)
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    for fact in facts:
        for key, value in fact.items():
            print(f"{key:>12}  {value}")


def read_one(
    file: Path, *, select: str | None, axes: str | None, settings: Settings | None = None
) -> Image:
    """Read the one image that a command works on, from an image file or a .cyto file.

    Raises
    ------
    UsageError
        Not exactly one image of the file is selected; or a selection or axes are given for a .cyto
        file, which holds one image with its axes.
    """
    from cytopress.codecs.registry import decode as decode_bytes
    from cytopress.formats.images import read_one as read_image
    from cytopress.formats.selection import parse_selection

    if _is_cyto(file):
        if select is not None or axes is not None:
            raise UsageError(
                f"{file}: a .cyto file holds one image with its axes, so --select and --axes do not"
                " apply; decode it first to select a part."
            )
        return _named(file, lambda: decode_bytes(_read_bytes(file), settings))
    return read_image(file, axes=axes, select=parse_selection(select) if select else None)


def _cyto_facts(file: Path, settings: Settings) -> list[dict[str, Any]]:
    from cytopress.codecs.container.container import unpack
    from cytopress.codecs.registry import build

    data = _read_bytes(file)
    header, _ = _named(file, lambda: unpack(data))
    form = header.form
    raw = form.raw_bytes
    facts: dict[str, Any] = {"name": file.name}
    try:
        codec = _named(file, lambda: build(header.recipe, settings))
        facts |= {"codec": repr(codec), "lossless": codec.lossless}
    except (PackageError, NotAvailableError) as error:
        # The header can be read without the model that decodes the pixels.
        facts |= {"codec": f"codec {header.recipe.number}", "missing": str(error)}
    facts |= {
        "axes": form.axes,
        "shape": list(form.shape),
        "dtype": form.dtype.name,
        "bits": form.bits,
        "spacing_um": None if form.spacing_um is None else list(form.spacing_um),
        "raw_bytes": raw,
        "coded_bytes": len(data),
        "header_bytes": header.header_bytes,
        "ratio": round(raw / len(data), 4),
    }
    return [facts | dict(header.notes)]


def _image_facts(file: Path, axes: str | None) -> list[dict[str, Any]]:
    from cytopress.formats.images import read

    return [
        {
            "name": image.name,
            "axes": image.axes,
            "shape": list(image.shape),
            "dtype": image.dtype.name,
            "bits": image.bits,
            "spacing_um": None if image.spacing_um is None else list(image.spacing_um),
            "raw_bytes": image.raw_bytes,
        }
        for image in read(file, axes=axes)
    ]


def _is_cyto(file: Path) -> bool:
    from cytopress.codecs.container.container import MAGIC

    if file.suffix == ".cyto":
        return True
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}).") from error


def _named(file: Path, work: Callable[[], Result]) -> Result:
    """Add the file's name to an error about its bytes."""
    try:
        return work()
    except CorruptDataError as error:
        raise type(error)(f"{file}: {error}") from error
