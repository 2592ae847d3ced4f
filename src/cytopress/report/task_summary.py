"""What the page shows of one task score beside its curves: similarity, and the training matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cytopress.results.dataset_summary import Findings
from cytopress.results.headline import finding_text
from cytopress.results.losses import yardstick
from cytopress.results.number_format import label_text, number_text
from cytopress.results.recovery import regained, regained_text
from cytopress.results.similarity import Likeness, example_text, likenesses
from cytopress.results.train_test_matrix import Cell, Matrix, matrix
from cytopress.study.results import Results, ScoreFacts


@dataclass(frozen=True, kw_only=True, eq=False)
class Insight:
    """The deciding score of one task on one dataset; ``matrix`` is None without other training."""

    found: Findings
    score: ScoreFacts
    likenesses: tuple[Likeness, ...]
    finding: str
    example: str
    matrix: Matrix | None
    regained: str


def insights(results: Results, found: Sequence[Findings]) -> list[Insight]:
    """Return one for each dataset and task."""
    return [
        _insight(results, each, score)
        for each in found
        for score in each.main_scores
        if score is not None
    ]


def insight_data(found: Sequence[Insight]) -> dict[str, Any]:
    """Return what the page's script draws of them, in their order."""
    return {
        "similarity": [
            {one.metric: _scatter(each, one) for one in each.likenesses} for each in found
        ],
        "matrices": [_heat(each.matrix) if each.matrix else None for each in found],
    }


def _insight(results: Results, found: Findings, score: ScoreFacts) -> Insight:
    table = matrix(results, found.facts.name, score)
    return Insight(
        found=found,
        score=score,
        likenesses=tuple(likenesses(found, score)),
        finding=finding_text(found, score, table),
        example=example_text(found, score, yardstick(results, found.facts.name, score)),
        matrix=table,
        regained=regained_text(regained(table), table) if table else "",
    )


def _scatter(each: Insight, one: Likeness) -> dict[str, Any]:
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
            for row, x, y in zip(one.rows, one.alike, one.losses, strict=True)
        ],
    }


def _heat(table: Matrix) -> dict[str, Any]:
    cells = [[table.cell(row, column) for column in table.columns] for row in table.rows]
    return {
        "label": _labeled(table.score),
        "better": table.score.better,
        "rows": list(table.rows),
        "columns": list(table.columns),
        "mean": [[cell.mean if cell else None for cell in line] for line in cells],
        "hover": [[_told(cell) for cell in line] for line in cells],
        "matched": [
            [table.rows.index(row), table.columns.index(column)]
            for row, column in table.matched
            if row in table.rows
        ],
    }


def _told(cell: Cell | None) -> str:
    if cell is None:
        return "not tested"
    spread = (
        f"spread over {cell.seeds} seeds {number_text(cell.seed_spread, significant=2)}"
        if cell.seed_spread is not None
        else "one seed"
    )
    return f"{number_text(cell.mean)}, {cell.fields} fields, {spread}"


def _labeled(score: ScoreFacts) -> str:
    unit = f" ({score.unit})" if score.unit else ""
    return f"{label_text(score.name)}{unit}"
