"""The commands ``codecs``, ``datasets``, ``tasks`` and ``models``: tables or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cytopress.cli.options import AsJson, Models, settings_with
from cytopress.cli.progress_bars import bar
from cytopress.settings import from_environment

if TYPE_CHECKING:
    from cytopress.models.model_package import Package

datasets = typer.Typer(help="List the known datasets, or fetch one.", invoke_without_command=True)
models = typer.Typer(
    help="List the model packages of learned codecs, or add some.", invoke_without_command=True
)
Row = Mapping[str, Any]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(codecs)
    app.add_typer(datasets, name="datasets")
    app.command()(tasks)
    app.add_typer(models, name="models")


def codecs(as_json: AsJson = False, models: Models = None) -> None:
    """List all codecs: the images they take, their quality parameter, what decoding gives."""
    from cytopress.codecs.trait_table import rows

    show(rows(settings_with(models)), as_json=as_json)


@datasets.callback()
def list_datasets(context: typer.Context, as_json: AsJson = False) -> None:
    """List the known datasets and their folders."""
    from cytopress.datasets.catalogue import KNOWN_DATASETS, find_folder

    if context.invoked_subcommand:
        return
    settings = from_environment()
    show(
        [
            {
                "name": known.name,
                "title": known.title,
                "axes": known.axes,
                "from": known.origin,
                "here": _path(find_folder(known.name, settings)),
            }
            for known in KNOWN_DATASETS.values()
        ],
        as_json=as_json,
    )


def _path(folder: Path | None) -> str | None:
    return None if folder is None else str(folder)


@datasets.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A known dataset.")],
    mirror: Annotated[
        str | None, typer.Option(help="Base URL of another server with the dataset's folder.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Largest number of fields to fetch (hipsc only).")
    ] = None,
) -> None:
    """Download a dataset into the cache; run the same command again to resume."""
    from cytopress.datasets.fetch import fetch as fetch_dataset

    with bar(f"Fetching {name}") as progress:
        folder = fetch_dataset(
            name, settings=from_environment(), mirror=mirror, limit=limit, progress=progress
        )
    print(folder)


def tasks(as_json: AsJson = False, models: Models = None) -> None:
    """List all tasks: built-in ones and packages."""
    from cytopress.tasks.registry import tasks as find_tasks

    show(
        [
            {
                "name": task.name,
                "scores": ", ".join(
                    f"{score.name} ({score.better} is better)" for score in task.scores
                ),
                "weights": task.weights if as_json else task.weights[:12],
            }
            for task in find_tasks(settings_with(models))
        ],
        as_json=as_json,
    )


@models.callback()
def list_models(context: typer.Context, as_json: AsJson = False, models: Models = None) -> None:
    """List the model packages of learned codecs.

    A package whose name another one bears is listed with its digest behind the name, which selects
    it in a spec. Bytes decode with the package that coded them, whatever bears its name.
    """
    from cytopress.models.search import SHOWN, find_by_name

    if context.invoked_subcommand:
        return
    show(
        [
            {
                "name": package.name if bears else f"{package.name}@{package.sha256[:SHOWN]}",
                "architecture": package.manifest["architecture"],
                "axes": package.manifest["axes"],
                "rates": _rates(package.manifest),
                "bytes": package.path.stat().st_size,
                "sha256": package.sha256,
                "path": str(package.path),
                "note": _note(package, bears=bears),
            }
            for package, bears in find_by_name(settings_with(models).model_folders, "codec")
        ],
        as_json=as_json,
    )


@models.command()
def add(
    source: Annotated[
        Path,
        typer.Argument(
            help="An archive, a folder of model packages, or one package (.cytomodel).",
            metavar="ARCHIVE|FOLDER|FILE",
        ),
    ],
) -> None:
    """Add the models that travel with an archive, or others, to those of this machine."""
    from cytopress.archive.models import add_models

    for name in add_models(source, from_environment()):
        print(f"added {name}")


def _note(package: Package, *, bears: bool) -> str:
    """Return why another package bears this one's name; "" where it bears it."""
    from cytopress.models.search import version_of

    if bears:
        return ""
    version = version_of(package)
    return f"of {version}; a newer one bears the name" if version else "another bears the name"


def _rates(manifest: Mapping[str, Any]) -> str:
    return "continuous" if manifest.get("gains") else str(manifest.get("rates", 1))


def show(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows with equal keys as JSON or as a table."""
    if as_json:
        print(json.dumps(list(rows), indent=2))
        return
    if not rows:
        print("none")
        return
    from cytopress.cli.tables import print_table

    print_table(rows)
