"""The commands ``archive status``, ``verify``, ``info`` and ``export``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from cytopress.cli.folders import default_jobs
from cytopress.cli.options import AsJson
from cytopress.cli.progress_bars import share_bar
from cytopress.errors import UsageError
from cytopress.figures import count_text

if TYPE_CHECKING:
    from cytopress.archive.verify import Verification

Archive = Annotated[Path, typer.Argument(help="The archive.", metavar="OUT")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes. Unless given: as many as processors.")
]


def status(out: Archive, as_json: AsJson = False) -> None:
    """Show how much of an archive is written, from its ledger."""
    from cytopress.archive.steps import archive_status

    found = archive_status(out)
    facts = {
        "images": found.images,
        "shards": found.shards,
        "written": found.written,
        "failed": len(found.failures),
        "coded_bytes": found.coded_bytes,
        "finer_chunks": found.finer_chunks,
        "chunks": found.chunks,
    }
    if as_json:
        print(json.dumps(facts | {"failures": dict(found.failures)}, indent=2))
        return
    for key, value in facts.items():
        print(f"{key:>14}  {value}")
    for key, why in found.failures.items():
        print(f"{key}: {why}", file=sys.stderr)


def verify(
    out: Archive,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Compare files with the ledger; read no shard."),
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Decode every chunk as well.")] = False,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            help="The sources, or a folder of them: compute the errors again. With --full, the"
            " certificate then says whether the sources may be deleted.",
            metavar="SRC",
        ),
    ] = None,
    sample: Annotated[
        str, typer.Option(help="Share of the shards to read or decode, such as 5%.", metavar="P")
    ] = "100%",
    accept_inexact: Annotated[
        bool,
        typer.Option(
            "--accept-inexact",
            help="Call an archive fit for deleting its sources though another processor may decode"
            " a pixel that differs by a count.",
        ),
    ] = False,
    accept_lost: Annotated[
        bool,
        typer.Option(
            "--accept-lost",
            help="The same of an archive that lacks metadata of its sources which OME-Zarr has no"
            " place for, as the plan said.",
        ),
    ] = False,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Check an archive: every file and byte, and on demand every chunk, and the sources."""
    from cytopress.archive.verify import verify as check

    if quick and full:
        raise UsageError("Give --quick or --full, not both.")
    share = _share(sample)
    with share_bar(f"Verifying {out.name}") as progress:
        found = check(
            out,
            depth="quick" if quick else "full" if full else "default",
            against=against,
            share=share,
            workers=workers or default_jobs(),
            accept_inexact=accept_inexact,
            accept_lost=accept_lost,
            progress=progress,
        )
    if as_json:
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        for note in found.notes:
            print(f"cytopress: note: {note}", file=sys.stderr)
        for name, why in found.failures.items():
            print(f"{name}: {why}")
        print(
            f"{'PASS' if found.passed else 'FAIL'}: {count_text(found.checked, 'shard')} checked."
        )
        # Against other sources than its own, an archive fails without damage.
        if not found.passed and against is None:
            print(_mend(out.name))
        if found.fit is not None:
            print(_fit(found))
    if not found.passed:
        raise typer.Exit(1)


def _mend(name: str) -> str:
    """Return what helps where an archive is damaged."""
    return (
        "Copy damaged files again where there is a copy. Or, while the sources are as they were:"
        f" delete the damaged shards, and `cytopress archive run {name}` writes them again."
    )


def _share(text: str) -> float:
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise UsageError(f"--sample {text}: give a percentage above 0, at most 100, such as 5%.")
    return percent / 100


def _fit(found: Verification) -> str:
    if found.fit:
        return "Fit for deleting the sources, as far as this archive is concerned."
    reasons = found.reasons if found.passed else ["verification failed", *found.reasons]
    return f"Not fit for deleting the sources: {'; '.join(reasons)}."


def info(out: Archive, as_json: AsJson = False) -> None:
    """Show the certificate of loss: what coding changed, channel by channel."""
    from cytopress.archive.certificate import read
    from cytopress.archive.certificate_summary import summary

    certificate = read(out)
    if as_json:
        print(json.dumps(certificate, indent=2))
        return
    for line in summary(certificate):
        print(line)


def export(
    out: Archive,
    target: Annotated[Path, typer.Argument(help="The folder to write into.", metavar="TARGET")],
    to: Annotated[
        str,
        typer.Option(help="ome-tiff: a file for each image; everyone: OME-Zarr for any reader."),
    ] = "ome-tiff",
    workers: Workers = None,
) -> None:
    """Write the images of an archive for readers without cytopress."""
    from cytopress.archive.export import Form
    from cytopress.archive.export import export as write

    form: Form | None = next((one for one in get_args(Form) if one == to), None)
    if form is None:
        raise UsageError(f"--to {to}: give one of {', '.join(get_args(Form))}.")
    with share_bar(f"Exporting {out.name}") as progress:
        count = write(out, target, form, workers=workers or default_jobs(), progress=progress)
    print(f"{target}: {count_text(count, 'image')}")
