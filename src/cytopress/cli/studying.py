"""The commands ``demo`` and ``study``."""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from cytopress.cli.options import (
    Axes,
    Bits,
    Channels,
    Groups,
    Images,
    Models,
    Only,
    PixelSize,
    check_output,
    settings_with,
)
from cytopress.cli.pipes import STREAM, output_file, print_written
from cytopress.cli.study_request import StudyRequest, results_folder
from cytopress.cli.study_run import run_study, write_page
from cytopress.errors import UsageError
from cytopress.settings import from_environment

study = typer.Typer(
    help="Measure what compression does to pixels and to an analysis.", no_args_is_help=True
)
Folder = Annotated[Path, typer.Argument(help="A study's folder.")]
Out = Annotated[Path, typer.Option(help="Folder for the store and the report.")]
Jobs = Annotated[int, typer.Option(min=1, help="Number of parallel processes.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(demo)
    app.add_typer(study, name="study")


def demo(out: Out = Path("cytopress-demo"), jobs: Jobs = 1) -> None:
    """Run the built-in study on real images and write its report."""
    from cytopress.kernels import paths
    from cytopress.study.spec import load_study

    print(paths.described(), file=sys.stderr)
    with as_file(files("cytopress.study") / "demo.toml") as spec:
        settings = from_environment()
        run_study(load_study(spec, settings), out, settings=settings, jobs=jobs, scheduler=None)


@study.command()
def init(
    path: Annotated[Path, typer.Argument(help="The study file to write; - is stdout.")] = Path(
        "study.toml"
    ),
) -> None:
    """Write a commented study file to start from."""
    from cytopress.atomic import atomic_file
    from cytopress.study.template import template

    if path.exists():
        raise UsageError(f"{path}: exists already; give another name.")
    check_output(path)
    if path == STREAM:
        print(template(), end="")
        return
    with atomic_file(path) as temporary:
        temporary.write_text(template(), encoding="utf-8")
    print(path)


@study.command()
def run(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            help="A study file (TOML). With --images instead: behind two dashes, the program of"
            " --task external, such as: -- python count.py {original} {decoded}",
            metavar="[SPEC] [-- PROGRAM ...]",
            show_default=False,
        ),
    ] = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the store and the report; NAME-study in this folder unless given."
        ),
    ] = None,
    jobs: Jobs = 1,
    images: Images = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            help="With --images: an analysis of the images, such as measurement, a task of"
            " `cytopress tasks`, or external. Repeatable.",
        ),
    ] = None,
    codec: Annotated[
        list[str] | None,
        typer.Option(
            help="With --images: a codec with the values to try, such as jpegxl:sigma=0.5,1,2."
            " Repeatable; unless given, codecs at the target that `try` advises for the images.",
        ),
    ] = None,
    margin: Annotated[
        str | None,
        typer.Option(
            help="The largest allowed loss of each task: in its score's unit (0.02), in percent"
            " (2%), or 'noise'; instead of the study file's. Trials stay as they are.",
            metavar="M|P%|noise",
        ),
    ] = None,
    channels: Channels = None,
    groups: Groups = None,
    only: Only = None,
    axes: Axes = None,
    bits: Bits = None,
    pixel_size: PixelSize = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="With --images: the largest number of fields of each group."),
    ] = None,
    skip_unreadable: Annotated[
        bool,
        typer.Option(
            "--skip-unreadable", help="With --images: leave out files that cannot be read."
        ),
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a running dask scheduler (extra dask)."),
    ] = None,
    models: Models = None,
    retrain: Annotated[
        bool,
        typer.Option("--retrain", help="Train all models again, in OUT/models (extra learn)."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run every failed trial again.")
    ] = False,
) -> None:
    """Run a study; run the same command again and it resumes.

    Give a study file, or with --images any folder of images: each channel is studied, and no
    description, partner image or label is needed.

    Missing models, of other training seeds or of compression-aware training, and learned codecs
    that the study file has a training of, are trained first.
    Trials that failed for want of an extra, time or memory are run again.
    """
    from cytopress.datasets.image_folder import FolderOptions

    settings = settings_with(models)
    options = FolderOptions(
        channels=channels,
        groups=groups,
        only=tuple(only) if only else None,
        axes=axes,
        bits=bits,
        pixel_size_um=pixel_size,
        limit=limit,
        skip_unreadable=skip_unreadable,
    )
    request = StudyRequest(
        arguments=arguments or (),
        images=images,
        tasks=task or (),
        codecs=codec or (),
        margin=margin,
        options=options,
        out=out,
    )
    settings = request.with_trained_codecs(out, settings)
    plan = request.study(settings)
    run_study(
        plan,
        out or results_folder(plan),
        settings=settings,
        jobs=jobs,
        scheduler=scheduler,
        retrain=retrain,
        retry_failed=retry_failed,
    )


@study.command()
def report(folder: Folder) -> None:
    """Write the report of a study again, from its store."""
    from cytopress.study.store import load_results

    print(write_page(load_results(folder), folder))


@study.command()
def export(
    folder: Folder,
    to: Annotated[
        Path,
        typer.Option(
            help="A .csv or .parquet file (the latter: extra parquet); - is stdout, as CSV."
        ),
    ],
) -> None:
    """Write the table of trials to a file.

    For each judged score, the last columns hold the margin, and the bound and the verdict (inside,
    outside, not shown) of the trial's setting on all fields.
    """
    from cytopress.results.verdicts import verdicts
    from cytopress.study.export import export as write_table
    from cytopress.study.store import load_results

    results = load_results(folder)
    with output_file(to, [".csv", ".parquet"]) as path:
        write_table(results, path, added=verdicts(results).columns(results.trials))
    print_written(to)
