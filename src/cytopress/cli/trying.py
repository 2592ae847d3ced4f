"""The command ``try``: a contact sheet of an image or a folder, and the target that suits it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cytopress.cli.listing import show
from cytopress.cli.options import Axes, Models, settings_with
from cytopress.cli.progress_bars import bar
from cytopress.errors import UsageError

if TYPE_CHECKING:
    from cytopress.quick_look.cells import Cell
    from cytopress.quick_look.look import QuickLook

PAGE, PICTURE = "contact-sheet.html", "contact-sheet{}.png"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("try")(try_codecs)


def try_codecs(
    source: Annotated[
        Path,
        typer.Argument(
            help="An image (OME-TIFF, TIFF, PNG, OME-Zarr, or a format of bioio's plugins), or a"
            " folder of images.",
            metavar="IMAGE_OR_FOLDER",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the contact sheet.")] = Path("quick-look"),
    task: Annotated[
        str | None, typer.Option(help="Show what a task predicts, such as measurement.")
    ] = None,
    select: Annotated[
        str | None, typer.Option(help="Select channels, planes or times, such as C=DAPI,Z=3.")
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(
            help="Of a folder: which part of a file's name is the channel, such as '*_{channel}'."
        ),
    ] = None,
    axes: Axes = None,
    models: Models = None,
) -> None:
    """Show an image through five codecs, and which target suits it.

    Writes a contact sheet as an HTML page and as a PNG picture: four sizes of each codec, with
    decoded images, differences, bytes and errors. Of several channels each gets a sheet; of a stack
    the middle plane is shown; of a folder the field with the median amount of signal.
    """
    from cytopress.formats.selection import parse_selection
    from cytopress.quick_look.fields import find_channels
    from cytopress.quick_look.look import quick_look
    from cytopress.report.contact_sheet import write_page, write_picture
    from cytopress.tasks.registry import task as find_task

    _check_folder(out)
    settings = settings_with(models)
    predicting = find_task(task, settings) if task else None
    found = find_channels(
        source,
        axes=axes,
        select=parse_selection(select) if select else None,
        pattern=channels,
    )
    looks = []
    for name, fields in found.items():
        title = f"{source.resolve().name}: {name}" if name else source.resolve().name
        with bar(f"Trying {title}") as progress:
            looks.append(
                quick_look(
                    fields, title=title, task=predicting, settings=settings, progress=progress
                )
            )
    out.mkdir(exist_ok=True)
    pictures = []
    for name, look in zip(found, looks, strict=True):
        pictures.append(out / PICTURE.format(f"-{_file_name(name)}" if name else ""))
        write_picture(look, pictures[-1])
        _print(look, with_title=len(looks) > 1)
    write_page(looks, out / PAGE, source=str(source))
    for picture in pictures:
        print(f"Picture: {picture}")
    print(f"Page: {out / PAGE}")


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent} to write into.")


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)


def _print(look: QuickLook, *, with_title: bool) -> None:
    if with_title:
        print(look.title)
    show([_row(row, look.sizes) for row in look.rows], as_json=False)
    print(f"{look.advice.sentence}\n")


def _row(row: Sequence[Cell], sizes: Sequence[int]) -> dict[str, str]:
    """Return the errors of a codec in units of the noise, by the size."""
    found = {"error / noise at": row[0].codec}
    for cell, size in zip(row, sizes, strict=True):
        reached = cell.ratio > 1.1 * size
        text = f"{cell.sigma:.2g}" + (f" (at {cell.ratio:.0f}x)" if reached else "")
        found[f"{size}x"] = "-" if cell.decoded is None else text
    return found
