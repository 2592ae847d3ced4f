"""Run of a study from the command line: progress, the page, the table and what failed."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytopress.callbacks import Progress
from cytopress.cli.listing import show
from cytopress.cli.progress_bars import bar
from cytopress.cli.recommending import criteria
from cytopress.errors import CodecError, CytopressWarning, NotAvailableError
from cytopress.figures import count_text
from cytopress.settings import Settings

if TYPE_CHECKING:
    from cytopress.study.results import Results
    from cytopress.study.spec import Study


def run_study(
    plan: Study,
    out: Path,
    *,
    settings: Settings,
    jobs: int,
    scheduler: str | None,
    retrain: bool = False,
    retry_failed: bool = False,
) -> None:
    """Run a study with its progress, write its page, and print its results and its failures.

    Raises
    ------
    CodecError
        Every trial failed.
    CytopressError
        As of `cytopress.study.execute.execute`.
    """
    from cytopress.report import check_libraries
    from cytopress.results.recommendation.foresee import check_on_originals
    from cytopress.results.recommendation.pictured import pictured_keys
    from cytopress.study.execute import execute

    page = ""
    try:
        check_libraries()
    except NotAvailableError as error:
        page = f"no page will be written; `cytopress study report {out}` does later. {error}"

    def check(study: Study, inspected: Any, progress: Progress) -> None:
        check_on_originals(study, inspected, progress)
        # A study that can be run is told what it will lack; one that cannot, what is wrong alone.
        if page:
            warnings.warn(page.rstrip("."), CytopressWarning, stacklevel=2)

    with bar(f"Study {plan.name}") as progress:
        results = execute(
            plan,
            out,
            settings=settings,
            jobs=jobs,
            scheduler=scheduler,
            retrain=retrain,
            retry_failed=retry_failed,
            check=check,
            pictured=lambda results: pictured_keys(results, criteria(out)),
            progress=progress,
        )
    written = out if page else write_page(results, out)
    _print_summary(results)
    print(f"\n{'Results' if page else 'Report'}: {written}")
    _report_failures(results)


def _report_failures(results: Results) -> None:
    """Warn of failed trials; a study without any result is an error."""
    failed = [trial for trial in results.trials if trial.error]
    if not failed:
        return
    first = failed[0]
    text = (
        f"{len(failed)} of {count_text(len(results.trials), 'trial')} failed (see the end of the"
        f" report); the first is field {first.field!r}: {first.error} What is about this machine"
        " is tried again by the same command, every failed trial with --retry-failed."
    )
    if all(trial.coded_bytes is None for trial in results.trials):
        raise CodecError(text)
    warnings.warn(text, CytopressWarning, stacklevel=2)


def write_page(results: Results, folder: Path) -> Path:
    """Write the page of a study into its folder, with what was asked of it there."""
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
