"""Report page: one self-contained HTML file of a study."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cytopress.atomic import atomic_file
from cytopress.report.equivalence import equivalence_data
from cytopress.report.gallery import Gallery, gallery
from cytopress.report.plots import plot_data
from cytopress.report.task_summary import TaskSummary, task_summaries, task_summary_data
from cytopress.report.templates import ASSETS, environment, libraries
from cytopress.results import tables
from cytopress.results.axial_error import axial_errors
from cytopress.results.bd_table import bd_tables
from cytopress.results.change import SEED
from cytopress.results.dataset_summary import DatasetSummary, dataset_summaries
from cytopress.results.recommendation.answers import Answer, answers
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.similarity import similarity_text
from cytopress.results.speed_table import speed_rows
from cytopress.results.summary_text import progress_text, split_text
from cytopress.results.verdicts import verdicts
from cytopress.results.volume_vs_plane import volume_vs_plane
from cytopress.statistics import interval_method
from cytopress.study.results import Results

FIRST_METRICS = ("pixels/psnr", "pixels/ssim")


def write_report(
    results: Results, path: Path, criteria: Sequence[Criterion] = (), *, plotly_script: str = ""
) -> Path:
    """Write the report of a study as one HTML file that opens from disk without a network.

    Parameters
    ----------
    results : Results
        A study, finished or not; the page says which.
    path : Path
        The file to write, atomically.
    criteria : sequence of Criterion
        Criteria of the recommendations; by default, for each task with noise replicates, a loss
        within their spread. The page says where a criterion cannot be met, and why.
    plotly_script : str
        Relative address of plotly.js, for pages that share it; "" embeds it in the page.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    NotAvailableError
        The extra ``report`` is not installed.
    """
    page = _render(results, criteria, plotly_script)
    with atomic_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _render(results: Results, criteria: Sequence[Criterion], plotly_script: str) -> str:
    datasets = dataset_summaries(results)
    tasks = task_summaries(results, datasets)
    answered = answers(results, criteria)
    pictures = gallery(results, [curve for each in datasets for curve in each.curves])
    metrics = [score for score in results.scores if not score.task]
    columns = [score.column for score in metrics]
    template = environment().get_template("page.html")
    return template.render(
        **_inlined(results, datasets, pictures, answered, tasks),
        plotly_script=plotly_script,
        results=results,
        datasets=datasets,
        answers=answered,
        verdicts=verdicts(results, answered),
        any_judged=any(_judged(answered)),
        judged=_judged(answered),
        criteria_given=bool(criteria),
        task_summaries=tasks,
        any_matrix=any(one.matrix for one in tasks),
        any_similarity=any(one.similarities for one in tasks),
        similarity_text=similarity_text,
        title=results.title or results.name,
        gallery=pictures,
        metrics=metrics,
        first_metrics=[c for c in FIRST_METRICS if c in columns] or columns[:2],
        any_drawn_task=any(each.scores and each.lossy for each in datasets),
        any_task=any(each.scores for each in datasets),
        progress=progress_text(results.trials_done, results.trials_planned),
        failed=sum(bool(trial.error) for trial in results.trials),
        speed_rows=speed_rows(results),
        error_rows=tables.error_rows(results),
        bd_tables=lambda each: bd_tables(results, each),
        axial_errors=axial_errors(results, datasets),
        volume_vs_plane=lambda each: volume_vs_plane(results, each),
        any_volumes=any(each.facts.axes == "ZYX" for each in datasets),
        interval_method=interval_method(seed=SEED),
        units=_units(datasets),
        near=round(100 * (tables.NEAR - 1)),
        split_text=split_text,
    )


def _inlined(
    results: Results,
    datasets: Sequence[DatasetSummary],
    pictures: Gallery,
    answered: Sequence[Answer],
    tasks: Sequence[TaskSummary],
) -> dict[str, Any]:
    """Return the styles, scripts and data that stand in the page as they are."""
    from markupsafe import Markup

    _, plotly = libraries()
    drawn = {"equivalence": equivalence_data(answered), **task_summary_data(tasks)}
    content = {"entries": pictures.entries, "pictures": pictures.pictures}
    texts = {
        "css": (ASSETS / "page.css").read_text(encoding="utf-8"),
        "plots_js": (ASSETS / "plots.js").read_text(encoding="utf-8"),
        "gallery_js": (ASSETS / "gallery.js").read_text(encoding="utf-8"),
        "plotly": plotly.get_plotlyjs(),
        "plot_data": _json(plot_data(results, datasets, verdicts(results, answered)) | drawn),
        "gallery_data": _json(content),
    }
    return {name: Markup(text) for name, text in texts.items()}  # noqa: S704 - ours, or escaped by _json


def _json(value: object) -> str:
    """Return JSON that cannot end the script element that holds it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("&", "\\u0026")


def _units(summaries: Sequence[DatasetSummary]) -> str:
    """Describe the units that the intervals of each dataset are over."""
    sentences = []
    for each in summaries:
        intervals = [
            row.change.interval
            for rows in each.rows.values()
            for row in rows
            if row.change is not None and row.change.interval is not None
        ]
        for unit in dict.fromkeys(interval.unit for interval in intervals):
            numbers = sorted({interval.n for interval in intervals if interval.unit == unit})
            span = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}"
            sentences.append(f"{each.facts.title}: over {span} {unit}.")
    return " ".join(sentences)


def _judged(answered: Sequence[Answer]) -> set[str]:
    """Name the datasets that have an answer with judged settings."""
    return {a.facts.name for a in answered if a.recommendation and a.recommendation.settings}
