"""The commands ``demo`` and ``study``."""

from __future__ import annotations

import warnings
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cytopress.cli.listing import show
from cytopress.cli.options import Models, check_output, settings_with
from cytopress.cli.pipes import STREAM, output_file, print_written
from cytopress.cli.progress_bars import bar
from cytopress.cli.recommending import criteria
from cytopress.errors import CodecError, CytopressWarning, UsageError

if TYPE_CHECKING:
    from cytopress.study.results import Results

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
    with as_file(files("cytopress.study") / "demo.toml") as spec:
        _run(spec, out, models=None, jobs=jobs, scheduler=None)


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
    spec: Annotated[Path, typer.Argument(help="A study file (TOML).")],
    out: Out,
    jobs: Jobs = 1,
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
    margin: Annotated[
        str | None,
        typer.Option(
            help="The largest allowed loss of each task: in its score's unit (0.02), in percent"
            " (2%), or 'noise'; instead of the study file's. Trials stay as they are.",
            metavar="M|P%|noise",
        ),
    ] = None,
) -> None:
    """Run a study; run the same command again and it resumes.

    Missing models, of other training seeds or of compression-aware training, are trained first.
    Trials that failed for want of an extra, time or memory are run again.
    """
    _run(
        spec,
        out,
        models=models,
        jobs=jobs,
        scheduler=scheduler,
        retrain=retrain,
        retry_failed=retry_failed,
        margin=margin,
    )


@study.command()
def report(folder: Folder) -> None:
    """Write the report of a study again, from its store."""
    from cytopress.study.store import load_results

    print(_write_report(load_results(folder), folder))


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


def _run(
    spec: Path,
    out: Path,
    *,
    models: list[Path] | None,
    jobs: int,
    scheduler: str | None,
    retrain: bool = False,
    retry_failed: bool = False,
    margin: str | None = None,
) -> None:
    from cytopress.statistics.margin import parse_margin
    from cytopress.study.execute import execute
    from cytopress.study.spec import load_study

    settings = settings_with(models)
    plan = load_study(spec, settings)
    if margin is not None:
        plan = plan.model_copy(update={"margin": parse_margin(margin)})
    with bar(f"Study {plan.name}") as progress:
        results = execute(
            plan,
            out,
            settings=settings,
            jobs=jobs,
            scheduler=scheduler,
            retrain=retrain,
            retry_failed=retry_failed,
            progress=progress,
        )
    page = _write_report(results, out)
    _print_summary(results)
    print(f"\nReport: {page}")
    _report_failures(results)


def _report_failures(results: Results) -> None:
    """Warn of failed trials; a study without any result is an error."""
    failed = [trial for trial in results.trials if trial.error]
    if not failed:
        return
    first = failed[0]
    text = (
        f"{len(failed)} of {len(results.trials)} trials failed (see the end of the report); the"
        f" first is field {first.field!r}: {first.error} What is about this machine is tried again"
        " by the same command, every failed trial with --retry-failed."
    )
    if all(trial.coded_bytes is None for trial in results.trials):
        raise CodecError(text)
    warnings.warn(text, CytopressWarning, stacklevel=2)


def _write_report(results: Results, folder: Path) -> Path:
    from cytopress.report import write_report

    return write_report(results, folder / "report.html", criteria(folder))


def _print_summary(results: Results) -> None:
    from cytopress.report import summary_rows
    from cytopress.results.recommendation.answers import answer_text, answers

    show(summary_rows(results), as_json=False)
    found = answers(results, ())
    for answer in found:
        print(f"\n{answer_text(answer)}")
    if results.tasks and not found:
        print(
            "\nNo margin was stated, and no noise replicates were drawn, so nothing is inside or"
            " outside; state one with --margin."
        )
