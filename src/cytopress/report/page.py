"""Report page: one self-contained HTML file of a study."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cytopress.atomic import atomic_file
from cytopress.report.answer import AnswerView, answer_views
from cytopress.report.equivalence import equivalence_data
from cytopress.report.gallery import Gallery, gallery
from cytopress.report.plots import plot_data
from cytopress.report.task_summary import TaskSummary, task_summaries, task_summary_data
from cytopress.report.templates import SCRIPTS, environment, offline_plotly, script, styles
from cytopress.results import tables
from cytopress.results.axial_error import axial_errors
from cytopress.results.bd_table import bd_tables
from cytopress.results.change import SEED
from cytopress.results.claims import zhou2024
from cytopress.results.dataset_summary import DatasetSummary, dataset_summaries
from cytopress.results.recommendation.answers import answers
from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.plain_words import too_few_text
from cytopress.results.recommendation.recommend import Recommendation
from cytopress.results.recommendation.serves_all import serves_all
from cytopress.results.similarity import similarity_heading, similarity_text
from cytopress.results.speed_table import speed_rows
from cytopress.results.summary_text import progress_text, reference_text, split_text
from cytopress.results.unfinished import training_rows
from cytopress.results.verdicts import verdicts
from cytopress.results.volume_vs_plane import volume_vs_plane
from cytopress.statistics import interval_method
from cytopress.study.results import Results, ScoreFacts

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
    views = answer_views(results, datasets, answered)
    pictures = gallery(results, [curve for each in datasets for curve in each.curves])
    return (
        environment()
        .get_template("page.html")
        .render(
            **_inlined(results, datasets, pictures, views, tasks),
            **_shown(results, datasets, views),
            **_compared(results, datasets, tasks),
            claims=zhou2024.claims(results, datasets) if results.claims == zhou2024.NAME else [],
            claims_title=zhou2024.TITLE,
            training_rows=training_rows(results),
            plotly_script=plotly_script,
            results=results,
            datasets=datasets,
            criteria_given=bool(criteria),
            gallery=pictures,
            interval_method=interval_method(seed=SEED),
            units=_units(datasets),
            near=round(100 * (tables.NEAR - 1)),
            split_text=split_text,
            scored_against=reference_text,
        )
    )


def _shown(
    results: Results, datasets: Sequence[DatasetSummary], views: Sequence[AnswerView]
) -> dict[str, Any]:
    """Return the answers, what can be asked of them, and which parts of the page have content."""
    metrics = [score for score in results.scores if not score.task]
    columns = [score.column for score in metrics]
    given = [found for view in views if (found := view.answer.recommendation) is not None]
    told = verdicts(results, [view.answer for view in views])
    rows = {
        (summary.facts.name, column, row.curve.label, row.point.setting): row
        for summary in datasets
        for column, some in summary.rows.items()
        for row in some
    }
    return {
        "views": views,
        "verdicts": told,
        "several": len(given) > 1,
        "unanswered": len(views) - len(given),
        "for_all": serves_all(given),
        "too_few": _said_by_all(given),
        "view_of": lambda each, score: _answered(views, each, score),
        "row_of": lambda each, score, one: rows[
            each.facts.name, score.column, one.curve.label, one.point.setting
        ],
        "any_judged": any(view.judged for view in views),
        "title": results.title or results.name,
        "metrics": metrics,
        "first_metrics": [c for c in FIRST_METRICS if c in columns] or columns[:2],
        "any_metric": bool(metrics) and any(each.lossy for each in datasets),
        "any_rows": any(rows for each in datasets for rows in each.rows.values()),
        "any_drawn_task": any(each.scores and each.lossy for each in datasets),
        "any_task": any(each.scores for each in datasets),
        "progress": progress_text(results.trials_done, results.trials_planned),
        "failed": sum(bool(trial.error) for trial in results.trials),
    }


def _said_by_all(given: Sequence[Recommendation]) -> str:
    """Return that there are too few fields, where that is so of every answer."""
    said = {too_few_text(found) for found in given}
    return said.pop() if len(said) == 1 else ""


def _answered(
    views: Sequence[AnswerView], summary: DatasetSummary, score: ScoreFacts | None
) -> AnswerView | None:
    """Return the first view about a score that has an answer."""
    found = (view for view in views if view.answer.recommendation and score)
    return next(
        (v for v in found if (v.answer.facts.name, v.score) == (summary.facts.name, score)), None
    )


def _compared(
    results: Results, datasets: Sequence[DatasetSummary], tasks: Sequence[TaskSummary]
) -> dict[str, Any]:
    """Return the comparisons of the details; those without a result are left out."""
    bd = {
        each.facts.name: [table for table in bd_tables(results, each) if table.rows]
        for each in datasets
    }
    volumes = [(each, volume_vs_plane(results, each)) for each in datasets]
    return {
        "task_summaries": tasks,
        "any_matrix": any(one.matrix for one in tasks),
        "any_similarity": any(one.similarities for one in tasks),
        "similarity_text": similarity_text,
        "similarity_heading": similarity_heading(
            [one for task in tasks for one in task.similarities]
        ),
        "speed_rows": speed_rows(results),
        "error_rows": tables.error_rows(results),
        "bd_tables": lambda each: bd[each.facts.name],
        "any_bd": any(bd.values()),
        "axial_errors": axial_errors(results, datasets),
        "volumes": [
            (each, compared) for each, compared in volumes if compared and not compared.reason
        ],
    }


def _inlined(
    results: Results,
    datasets: Sequence[DatasetSummary],
    pictures: Gallery,
    views: Sequence[AnswerView],
    tasks: Sequence[TaskSummary],
) -> dict[str, Any]:
    """Return the styles, scripts and data that stand in the page as they are."""
    from markupsafe import Markup

    drawn = {"equivalence": equivalence_data(views), **task_summary_data(tasks)}
    content = {"entries": pictures.entries, "pictures": pictures.pictures}
    texts = {
        "css": styles(),
        **{f"{name}_js": script(name) for name in SCRIPTS},
        "plotly": offline_plotly().get_plotlyjs(),
        "answer_data": _json([view.slider(results) for view in views]),
        "plot_data": _json(plot_data(results, datasets) | drawn),
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
