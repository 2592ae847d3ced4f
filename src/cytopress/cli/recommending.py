"""The command ``recommend``: how far a study's images can be compressed for an analysis."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cytopress.cli.options import AsJson
from cytopress.errors import CytopressWarning, NotAvailableError, StoreError, UsageError

if TYPE_CHECKING:
    from cytopress.results.recommendation import Criterion, Recommendation
    from cytopress.study.results import Results

FILE = "recommendation.json"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(recommend)


def recommend(
    folder: Annotated[Path, typer.Argument(help="A study's folder.")],
    task: Annotated[str, typer.Option(help="The task of the study that must not suffer.")],
    margin: Annotated[
        str,
        typer.Option(
            help="The largest allowed loss, in the score's unit, or 'noise': the change that one"
            " more noise replicate of the camera would cause.",
            metavar="M|noise",
        ),
    ],
    metric: Annotated[
        str, typer.Option(help="A score of the task; the main one unless given.")
    ] = "",
    confidence: Annotated[float, typer.Option(help="Of all its claims together.")] = 0.95,
    as_json: AsJson = False,
) -> None:
    """Recommend how far a study's images can be compressed, with a bound on the loss.

    Prints a recommendation for each dataset, and writes it to DIR/recommendation.json and to the
    top of the report. "None is safe" is a valid result: the exit code is 0.
    """
    from cytopress.results.recommendation import NOISE, Criterion
    from cytopress.results.recommendation import as_json as plain
    from cytopress.results.recommendation import recommend as find
    from cytopress.study.store import load_results

    criterion = Criterion(
        task=task,
        metric=metric,
        margin=margin if margin == NOISE else _number(margin),
        confidence=confidence,
    )
    results = load_results(folder)
    found = find(results, criterion)
    if not found:
        raise UsageError(f"{folder}: the study has no result of {task} yet; run it again.")
    rows = [plain(one) for one in found]
    kept = [row for row in _stored(folder) if (row["task"], row["metric"]) != _key(rows[0])]
    _write(folder / FILE, [*rows, *kept])
    _write_report(folder, results)
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for one in found:
        _print(one)


def criteria(folder: Path) -> list[Criterion]:
    """Return the criteria asked of a study so far, the last first; its report repeats them all."""
    from cytopress.results.recommendation import NOISE, Criterion

    asked: dict[tuple[str, str], Criterion] = {}
    for row in _stored(folder):
        margin = NOISE if row["margin_from"] == NOISE else row["margin"]
        criterion = Criterion(
            task=row["task"], metric=row["metric"], margin=margin, confidence=row["confidence"]
        )
        asked.setdefault(_key(row), criterion)
    return list(asked.values())


def _stored(folder: Path) -> list[dict[str, Any]]:
    path = folder / FILE
    if not path.exists():
        return []
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        for row in rows:
            _key(row), row["margin"], row["margin_from"], row["confidence"]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path}: is not a file of `recommend` ({error}); remove it and run the command again."
        ) from error
    return rows


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["task"], row["metric"]


def _number(margin: str) -> float:
    try:
        return float(margin)
    except ValueError as error:
        raise UsageError(f"--margin {margin}: give a number, or noise.") from error


def _write(path: Path, value: object) -> None:
    from cytopress.atomic import atomic_file

    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _write_report(folder: Path, results: Results) -> None:
    from cytopress.report import write_report

    try:
        write_report(results, folder / "report.html", criteria(folder))
    except NotAvailableError as error:
        # The recommendation needs no page.
        warnings.warn(f"the report was not updated: {error}", CytopressWarning, stacklevel=2)


def _print(found: Recommendation) -> None:
    from cytopress.results.number_format import plain, ratio_text
    from cytopress.results.recommendation.text import cost_text, sentence

    print(f"{found.summary.facts.name}: {sentence(found)}")
    if found.chosen is not None:
        print(f"  Use:        --codec {found.chosen.spec}")
        print(f"  Saves:      {plain(cost_text(found.chosen))}.")
    for label, setting in (("Runner-up:", found.runner_up), ("Lossless:", found.lossless)):
        if setting is not None:
            print(f"  {label:<11} {setting.spec}, {plain(ratio_text(setting.ratio))} smaller")
    for setting in found.unsafe:
        print(
            f"  Not safe:   {setting.spec} ({plain(ratio_text(setting.ratio))}): {setting.reason}"
        )
    for warning in found.warnings:
        print(f"  Note:       {warning}")
