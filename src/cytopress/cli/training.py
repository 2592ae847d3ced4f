"""``train task`` (and, with the learned codecs, ``train codec``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cytopress.cli.progress import bar
from cytopress.settings import from_environment

train = typer.Typer(help="Train a model package from your own images.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(train, name="train")


@train.command()
def task(
    config: Annotated[Path, typer.Argument(help="A training config (TOML).")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, log, card and package.")],
) -> None:
    """Train a task's model; run the same command again and it resumes."""
    from cytopress.training.config import read_task_training
    from cytopress.training.task import train_task

    training = read_task_training(config)
    with bar(f"Training {training.name}") as progress:
        package = train_task(training, out, settings=from_environment(), progress=progress)
    print(package)
