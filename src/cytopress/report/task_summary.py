"""Task summaries: headline, similarity and train-test matrix of each task, for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cytopress.figures import count_text
from cytopress.results.dataset_summary import DatasetSummary
from cytopress.results.headline import headline_text
from cytopress.results.losses import noise_spread
from cytopress.results.number_format import label_text, number_text
from cytopress.results.recovery import recoveries, recovery_text
from cytopress.results.similarity import Similarity, example_text, similarities, telling
from cytopress.results.train_test_matrix import Matrix, MeanScore, matrix
from cytopress.study.results import Results, ScoreFacts


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskSummary:
    """Summary of a task's main score on one dataset.

    ``matrix`` is None where all models were trained on originals, and ``recovery`` is "".
    """

    summary: DatasetSummary
    score: ScoreFacts
    similarities: tuple[Similarity, ...]
    headline: str
    example: str
    matrix: Matrix | None
    recovery: str

    @property
    def telling(self) -> bool:
        """Whether an image metric ranks the settings nearly as the task does."""
        return telling(self.similarities)


def task_summaries(results: Results, summaries: Sequence[DatasetSummary]) -> list[TaskSummary]:
    """Return one summary for each dataset and task."""
    return [
        _task_summary(results, each, score)
        for each in summaries
        for score in each.main_scores
        if score is not None
    ]


def task_summary_data(tasks: Sequence[TaskSummary]) -> dict[str, Any]:
    """Return the summaries' plots as data for the page's script, in their order."""
    return {
        "similarity": [
            {one.metric: _scatter(each, one) for one in each.similarities} for each in tasks
        ],
        "matrices": [_heat(each.matrix) if each.matrix else None for each in tasks],
    }


def _task_summary(results: Results, summary: DatasetSummary, score: ScoreFacts) -> TaskSummary:
    table = matrix(results, summary.facts.name, score)
    return TaskSummary(
        summary=summary,
        score=score,
        similarities=tuple(similarities(summary, score)),
        headline=headline_text(summary, score, table),
        example=example_text(summary, score, noise_spread(results, summary.facts.name, score)),
        matrix=table,
        recovery=recovery_text(recoveries(table), table) if table else "",
    )


def _scatter(each: TaskSummary, one: Similarity) -> dict[str, Any]:
    return {
        "label": _labeled(each.score),
        "points": [
            {
                "codec": row.curve.label,
                "setting": row.point.setting,
                "ratio": row.point.ratio,
                "x": x,
                "y": y,
            }
            for row, x, y in zip(one.rows, one.values, one.losses, strict=True)
        ],
    }


def _heat(table: Matrix) -> dict[str, Any]:
    scores = [[table.mean_score(row, column) for column in table.columns] for row in table.rows]
    return {
        "label": _labeled(table.score),
        "better": table.score.better,
        "rows": list(table.rows),
        "columns": list(table.columns),
        "mean": [[score.mean if score else None for score in line] for line in scores],
        "hover": [[_hover(score) for score in line] for line in scores],
        "matched": [
            [table.rows.index(row), table.columns.index(column)]
            for row, column in table.matched
            if row in table.rows
        ],
    }


def _hover(score: MeanScore | None) -> str:
    if score is None:
        return "not tested"
    spread = (
        f"spread over {count_text(score.seeds, 'seed')}"
        f" {number_text(score.seed_spread, significant=2)}"
        if score.seed_spread is not None
        else "one seed"
    )
    return f"{number_text(score.mean)}, {count_text(score.fields, 'field')}, {spread}"


def _labeled(score: ScoreFacts) -> str:
    unit = f" ({score.unit})" if score.unit else ""
    return f"{label_text(score.name)}{unit}"
