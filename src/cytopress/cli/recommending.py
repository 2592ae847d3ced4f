"""The command ``recommend``: how far a study's images can be compressed for an analysis."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cytopress.cli.options import AsJson
from cytopress.errors import CytopressWarning, NotAvailableError, UsageError

if TYPE_CHECKING:
    from cytopress.results.recommendation import Criterion
    from cytopress.study.results import Results


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(recommend)


def recommend(
    folder: Annotated[Path, typer.Argument(help="A study's folder.")],
    task: Annotated[
        str | None,
        typer.Option(help="The task of the study that must not suffer; needed if there are more."),
    ] = None,
    margin: Annotated[
        str | None,
        typer.Option(
            help="The largest allowed loss: in the score's unit (0.02), in percent (2%), or"
            " 'noise', the change that one more noise replicate of the camera would cause. Unless"
            " given, the study's own, else the noise.",
            metavar="M|P%|noise",
        ),
    ] = None,
    metric: Annotated[
        str, typer.Option(help="A score of the task; the main one unless given.")
    ] = "",
    confidence: Annotated[float, typer.Option(help="Of all its claims together.")] = 0.95,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Write the recommendation to DIR/recommendation.json, for encode --recommended"
            " DIR, and into the report; otherwise nothing is written.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recommend how far a study's images can be compressed, with a bound on the loss.

    Prints a recommendation for each dataset. That no setting is shown inside the margin is a valid
    result: the exit code is 0.
    """
    from cytopress.results.recommendation import Criterion, recommend_or_refuse, refusal_as_json
    from cytopress.results.recommendation import as_json as plain
    from cytopress.results.recommendation.recorded import write_rows
    from cytopress.results.recommendation.text import lines
    from cytopress.statistics.margin import NOISE, parse_margin
    from cytopress.study.store import load_results

    # A wrong margin is an error before the study is read.
    given = None if margin is None else parse_margin(margin)
    results = load_results(folder)
    criterion = Criterion(
        task=_only_task(results, folder) if task is None else task,
        metric=metric,
        margin=given or results.margin or NOISE,
        confidence=confidence,
    )
    found, refused = recommend_or_refuse(results, criterion)
    for refusal in refused:
        text = f"no recommendation for {refusal.summary.facts.name}: {refusal.reason}"
        warnings.warn(text, CytopressWarning, stacklevel=1)
    if not found:
        raise UsageError(f"{folder}: the study has no result of {criterion.task} yet; run it.")
    rows = [plain(one) for one in found]
    if write:
        written = write_rows(folder, [*rows, *map(refusal_as_json, refused)])
        _write_report(folder, results)
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for one in found:
        print("\n".join(lines(one)))
    if write:
        several = len(found) + len(refused) > 1
        what = "IMAGES -o CODED" if several else "IMAGE -o FILE.cyto"
        print(f"{written}\nUse it: cytopress encode {what} --recommended {folder}")
    else:
        print("To encode with it, run this command with --write.")


def criteria(folder: Path) -> list[Criterion]:
    """Return the criteria written into a study's folder, the last first; its report has them."""
    from cytopress.results.recommendation import Criterion
    from cytopress.results.recommendation.recorded import asked_margin, read_rows

    asked: dict[tuple[str, str], Criterion] = {}
    for row in read_rows(folder):
        criterion = Criterion(
            task=row["task"],
            metric=row["metric"],
            margin=asked_margin(row),
            confidence=row["confidence"],
        )
        asked.setdefault((row["task"], row["metric"]), criterion)
    return list(asked.values())


def _only_task(results: Results, folder: Path) -> str:
    names = list(dict.fromkeys(task.name for task in results.tasks))
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError(f"{folder}: no task was run in this study, so nothing can be recommended.")
    raise UsageError(f"{folder}: choose a task of the study with --task: {', '.join(names)}.")


def _write_report(folder: Path, results: Results) -> None:
    from cytopress.report import write_report

    try:
        write_report(results, folder / "report.html", criteria(folder))
    except NotAvailableError as error:
        # The recommendation needs no page.
        warnings.warn(f"the report was not updated: {error}", CytopressWarning, stacklevel=2)
