"""The command ``predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cytopress.cli.coding import read_one
from cytopress.cli.options import (
    Axes,
    MaxBytes,
    Models,
    Output,
    Select,
    check_output,
    settings_with,
)
from cytopress.cli.pipes import IMAGES, output_file, print_written, source_file
from cytopress.cli.progress_bars import spinner
from cytopress.errors import UsageError
from cytopress.figures import count_text

if TYPE_CHECKING:
    from cytopress.tasks.objects import Objects


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(predict)


def predict(
    image: Annotated[Path, typer.Argument(help="An image file, or a .cyto file; - is stdin.")],
    output: Output,
    task: Annotated[str, typer.Option(help="A task, such as labelfree/ecoli-phase.")],
    select: Select = None,
    axes: Axes = None,
    models: Models = None,
    max_bytes: MaxBytes = None,
) -> None:
    """Run a task on one image and write the predicted image, or the labels of its objects."""
    from cytopress.formats.images import write
    from cytopress.formats.labels import write_labels
    from cytopress.image import Image
    from cytopress.tasks.objects import Objects
    from cytopress.tasks.registry import task as find

    check_output(output, image)
    settings = settings_with(models, max_bytes)
    found = find(task, settings)
    with spinner(f"Predicting from {image.name}"), source_file(image) as file:
        source = read_one(file, select=select, axes=axes, settings=settings)
        prediction = found.predict(source)
    if isinstance(prediction, Objects):
        with output_file(output, IMAGES) as path:
            write_labels(path, prediction.labels, source)
        print_written(output, _described(prediction))
        return
    if not isinstance(prediction, Image):
        raise UsageError(f"{task} predicts neither an image nor objects; use it in a study.")
    with output_file(output, IMAGES) as path:
        write(path, [prediction])
    print_written(output, str(prediction))


def _described(objects: Objects) -> str:
    if not objects.count:
        return "labels of no objects"
    unit, power = ("pixels", 2) if objects.labels.ndim == 2 else ("voxels", 3)
    size, known = f"{objects.area.mean():.4g} {unit}", objects.physical_size
    if known is not None:
        size += f" ({known.mean():.4g} um^{power})"
    return (
        f"labels of {count_text(objects.count, 'object')}, on average {size} and"
        f" {objects.intensity.mean():.5g} counts"
    )
