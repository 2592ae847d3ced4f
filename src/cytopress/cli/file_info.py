"""The command ``info``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cytopress.cli.options import AsJson, Axes, Models, settings_with
from cytopress.cli.pipes import source_file
from cytopress.errors import NotAvailableError, PackageError, UsageError
from cytopress.figures import metadata_matter
from cytopress.settings import Settings

if TYPE_CHECKING:
    from cytopress.files import CytoFile


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(info)


def info(
    file: Annotated[Path, typer.Argument(help="A .cyto file, or an image file; - is stdin.")],
    axes: Axes = None,
    as_json: AsJson = False,
    models: Models = None,
    ome_xml: Annotated[
        bool, typer.Option("--ome-xml", help="Print the source's OME-XML in a .cyto file.")
    ] = False,
) -> None:
    """Show the content of a file: its images, codecs, options, targets and sizes."""
    from cytopress.files import is_cyto, open_cyto

    settings = settings_with(models)
    with source_file(file) as source:
        if not is_cyto(source):
            if ome_xml:
                raise UsageError(f"{file}: --ome-xml is for .cyto files.")
            facts, whole = _image_facts(source, axes), {}
        else:
            with open_cyto(source, settings=settings) as opened:
                if ome_xml:
                    print(opened.index.ome_xml)
                    return
                facts = _cyto_facts(opened, settings)
                whole = _whole_facts(opened) if len(facts) > 1 else {}
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    for fact in [whole, *facts] if whole else facts:
        if whole and fact is not whole:
            print()
        for key, value in fact.items():
            print(f"{key:>12}  {value}")


def _whole_facts(file: CytoFile) -> dict[str, Any]:
    """Return the facts of a file of several images."""
    pixels = sum(part.length for part in file.parts)
    return {
        "name": file.path.name,
        "images": f"{len(file.places)}: {file.describe()}",
        "raw_bytes": file.raw_bytes,
        "coded_bytes": file.file_bytes,
        "ome_xml": f"{len(file.index.ome_xml.encode())} bytes (--ome-xml prints it)",
        "ratio": round(file.raw_bytes / file.file_bytes, 4),
        "pixel_ratio": round(file.raw_bytes / pixels, 4),
    }


def _cyto_facts(file: CytoFile, settings: Settings) -> list[dict[str, Any]]:
    """Return the facts of each image; of a lone image all bytes of its file count as coded."""
    lone = len(file.places) == 1
    return [
        _coded_facts(file, number, settings, file.file_bytes if lone else file.parts[number].length)
        for number in range(len(file.places))
    ]


def _coded_facts(
    file: CytoFile, number: int, settings: Settings, coded_bytes: int
) -> dict[str, Any]:
    from cytopress.codecs.container.container import unpack
    from cytopress.codecs.registry import build
    from cytopress.codecs.wrappers.lines_report import lines_report
    from cytopress.codecs.wrappers.scaled import scale_of

    header = file.headers[number]
    form = header.form
    facts: dict[str, Any] = {"name": file.places[number].label or file.path.name}
    try:
        codec = build(header.recipe, settings)
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
        "raw_bytes": form.raw_bytes,
        "coded_bytes": coded_bytes,
        "header_bytes": header.header_bytes,
        "ratio": round(form.raw_bytes / coded_bytes, 4),
    }
    if scale := scale_of(header.recipe):
        facts["resolution"] = f"1/{scale} along y and x"
    if report := lines_report(header.recipe, unpack(file.container(number))[1], form):
        facts["noise"] = report
    pixels = file.parts[number].length
    if metadata_matter(form.raw_bytes, coded_bytes, coded_bytes - pixels):
        facts |= {
            "metadata_bytes": coded_bytes - pixels,
            "pixel_ratio": round(form.raw_bytes / pixels, 4),
        }
    return facts | dict(header.notes)


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
