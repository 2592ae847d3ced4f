"""The command ``dataset init``: a folder of images made a dataset."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from cytopress.cli.options import Axes, Bits, Channels, Groups, PixelSize
from cytopress.errors import CytopressWarning

dataset = typer.Typer(help="Describe a folder of images as a dataset.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(dataset, name="dataset")


@dataset.callback()
def _of_dataset() -> None:
    """Describe a folder of images as a dataset."""


@dataset.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder of images, with subfolders.")],
    input_: Annotated[
        str | None,
        typer.Option("--input", help="The channel to compress.", metavar="CHANNEL"),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="The channel that is predicted from it.", metavar="CHANNEL"),
    ] = None,
    channels: Channels = None,
    groups: Groups = None,
    axes: Axes = None,
    bits: Bits = None,
    pixel_size: PixelSize = None,
) -> None:
    """Write dataset.toml and pairs.csv into a folder of images, pairs guessed by their names.

    Of two channels, such as *_BF.tif and *_DAPI.tif, the one of transmitted light is the input and
    the other the target. Existing files are never overwritten. A study without pairs needs neither
    file: see `cytopress study run --images`.
    """
    from cytopress.datasets.image_folder import FolderOptions
    from cytopress.datasets.init_form import init_form

    options = FolderOptions(
        channels=channels, groups=groups, axes=axes, bits=bits, pixel_size_um=pixel_size
    )
    paths, notes = init_form(folder, input=input_, target=target, options=options)
    for note in notes:
        warnings.warn(f"{note}.", CytopressWarning, stacklevel=1)
    for path in paths:
        print(path)
