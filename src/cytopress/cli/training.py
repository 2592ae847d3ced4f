"""The commands ``train codec`` and ``train task``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cytopress.cli.options import Models, settings_with
from cytopress.cli.progress_bars import bar
from cytopress.lock import locked

# Two trainings would write each other's checkpoints.
LOCK, DOING = ".train.lock", "training a model"

train = typer.Typer(help="Train a model package from your own images.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(train, name="train")


@train.command()
def task(
    config: Annotated[Path, typer.Argument(help="A training file (TOML).")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, log, model card and package.")],
    models: Models = None,
) -> None:
    """Train a task's model; run the same command again and it resumes."""
    from cytopress.training.config import read_task_training
    from cytopress.training.task import train_task

    training = read_task_training(config)
    with locked(out, LOCK, DOING), bar(f"Training {training.name}") as progress:
        package = train_task(training, out, settings=settings_with(models), progress=progress)
    print(package)


@train.command()
def codec(
    config: Annotated[Path, typer.Argument(help="A training file (TOML).")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, log, model card and package.")],
    models: Models = None,
    unfinished: Annotated[
        bool,
        typer.Option(
            "--unfinished",
            help="Train nothing: export what the training in --out has reached, which may go on"
            " meanwhile, into its folder 'unfinished'. A study shows how far it is.",
        ),
    ] = False,
) -> None:
    """Train a learned codec; run the same command again and it resumes."""
    from cytopress.training.codec.config import read_codec_training
    from cytopress.training.codec.train import train_codec
    from cytopress.training.codec.unfinished import export_unfinished

    training = read_codec_training(config)
    if unfinished:
        print(export_unfinished(training, out, settings=settings_with(models)))
        return
    with locked(out, LOCK, DOING), bar(f"Training {training.name}") as progress:
        package = train_codec(training, out, settings=settings_with(models), progress=progress)
    print(package)
