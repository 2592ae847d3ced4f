"""``predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cytopress.cli.coding import read_one
from cytopress.cli.options import Axes, Models, Output, Select, check_output, settings_with
from cytopress.cli.progress import spinner
from cytopress.errors import UsageError


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(predict)


def predict(
    image: Annotated[Path, typer.Argument(help="An image file, or a .cyto file.")],
    output: Output,
    task: Annotated[str, typer.Option(help="A task, such as labelfree/ecoli-phase.")],
    select: Select = None,
    axes: Axes = None,
    models: Models = None,
) -> None:
    """Run a task's model on one image and write what it predicts."""
    from cytopress.image import Image
    from cytopress.io.images import write
    from cytopress.tasks.registry import task as find

    check_output(output, image)
    settings = settings_with(models)
    found = find(task, settings)
    with spinner(f"Predicting from {image.name}"):
        prediction = found.predict(read_one(image, select=select, axes=axes, settings=settings))
    if not isinstance(prediction, Image):
        raise UsageError(f"{task} does not predict an image; use it in a study.")
    write(output, [prediction])
    print(f"{output}: {prediction}")
