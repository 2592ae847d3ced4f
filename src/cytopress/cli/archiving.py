"""The commands ``archive plan``, ``run`` and ``create``, and the group of all on archives."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cytopress.cli.archive_plan_text import plan_lines
from cytopress.cli.archive_reading import Archive, Workers, export, info, status, verify
from cytopress.cli.archive_wanted import ArchiveOptions, with_archive_options
from cytopress.cli.folders import default_jobs
from cytopress.cli.progress_bars import share_bar
from cytopress.errors import CodecError, UsageError
from cytopress.figures import count_text, shown_bytes

if TYPE_CHECKING:
    from cytopress.archive.run import Part
    from cytopress.archive.wanted import Wanted

Sources = Annotated[
    list[Path],
    typer.Argument(
        help="Image files or folders of them, and last the archive to make.", metavar="SRC... OUT"
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="Work on the workers of a dask scheduler, which see the same files.",
        metavar="ADDRESS",
    ),
]
PartOf = Annotated[
    str | None,
    typer.Option("--part", help="Write one of N parts, as jobs of an array do.", metavar="I/N"),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(
        help="Store whole data sets as OME-Zarr, coded, checked, and with a certificate of loss.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for command in (plan, run, create, status, verify, info, export):
        group.command()(command)
    app.add_typer(group, name="archive")


@with_archive_options
def plan(paths: Sources, options: ArchiveOptions) -> None:
    """Inspect the sources, solve the settings on samples, write the plan, and tell its costs."""
    _plan(paths, options.wanted, costs=True)


def run(
    out: Archive, workers: Workers = None, scheduler: Scheduler = None, part: PartOf = None
) -> None:
    """Write what the plan says; the same command resumes."""
    _check_workers(workers, scheduler)
    _run(out, workers, _part(part), scheduler)


@with_archive_options
def create(
    paths: Sources, options: ArchiveOptions, workers: Workers = None, scheduler: Scheduler = None
) -> None:
    """Plan and run in one; the same command resumes."""
    _check_workers(workers, scheduler)
    _run(_plan(paths, options.wanted), workers, scheduler=scheduler)


def _check_workers(workers: int | None, scheduler: str | None) -> None:
    if workers is not None and scheduler is not None:
        raise UsageError("Give --workers or --scheduler, not both.")


def _plan(paths: list[Path], wanted: Wanted, *, costs: bool = False) -> Path:
    from cytopress.archive.costs import costs_of
    from cytopress.archive.planning import make_plan

    if len(paths) < 2:
        raise UsageError("Give the sources, and last the archive to make.")
    *sources, out = paths
    with share_bar("Planning"):
        found, notes = make_plan(sources, out, wanted)
        expected = costs_of(found) if costs else None
    for note in notes:
        print(f"cytopress: note: {note}", file=sys.stderr)
    for line in plan_lines(found, expected):
        print(line)
    return out


def _run(
    out: Path, workers: int | None, part: Part | None = None, scheduler: str | None = None
) -> None:
    from cytopress.archive.run import run as work
    from cytopress.archive.stores import store_of

    with share_bar(f"Archiving into {out.name}") as progress:
        found = work(
            out,
            workers=workers or default_jobs(),
            scheduler=scheduler,
            part=part,
            progress=progress,
        )
    if found.failed:
        key, why = next(iter(found.failed.items()))
        raise CodecError(
            f"{len(found.failed)} of {count_text(len(found.rows), 'shard')} failed, such as {key}:"
            f" {why} Run the same command again to try what failed again."
        )
    raw, coded = (
        sum(row[key] for row in found.rows.values()) for key in ("raw_bytes", "coded_bytes")
    )
    for note in found.notes:
        print(f"cytopress: note: {note}", file=sys.stderr)
    shards = count_text(len(found.rows), "shard")
    print(f"{store_of(out)}: {shards}, {shown_bytes(raw)} -> {shown_bytes(coded)}")
    if not found.complete:
        print("Other parts of the archive are not written yet.")


def _part(text: str | None) -> Part | None:
    from cytopress.archive.run import Part

    if text is None:
        return None
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise UsageError(f"--part {text}: give I/N, such as 3/40.")
    return Part(int(number), int(count))
