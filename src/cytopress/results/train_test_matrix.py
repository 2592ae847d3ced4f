"""Train-test matrix: scores by what a model was trained on and what it is tested on."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cytopress.results.curves import setting_text, tested
from cytopress.study.results import Results, ScoreFacts
from cytopress.study.trial import Trial

ORIGINALS = "originals"
MIXED = "mixed"
# More columns than this cannot be read: then only settings that models were trained on are shown.
MOST_COLUMNS = 12
Values = Mapping[tuple[str, int], float]


@dataclass(frozen=True, kw_only=True)
class MeanScore:
    """Mean score over fields and seeds; ``seed_spread`` (standard deviation) is None with one."""

    mean: float
    seed_spread: float | None
    seeds: int
    fields: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Matrix:
    """Scores of models by what they were trained on (rows) and are tested on (columns).

    Parameters
    ----------
    rows, columns : tuple of str
        Originals first, then codec settings, and for rows at last "mixed".
    values : mapping
        The score by field and seed, for each tested pair of row and column.
    groups : mapping
        The group of each field.
    matched : tuple of (str, str)
        Row and column where a model is tested on what it was trained on.
    left_out : int
        How many tested settings have no column because there are too many.
    """

    dataset: str
    score: ScoreFacts
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Mapping[tuple[str, str], Values]
    groups: Mapping[str, str]
    matched: tuple[tuple[str, str], ...]
    left_out: int

    def mean_score(self, row: str, column: str) -> MeanScore | None:
        """Return the mean of a row and column; None where it was not tested."""
        values = self.values.get((row, column), {})
        if not values:
            return None
        of_seed: dict[int, list[float]] = defaultdict(list)
        for (_, seed), value in values.items():
            of_seed[seed].append(value)
        means = [math.fsum(some) / len(some) for some in of_seed.values()]
        return MeanScore(
            mean=math.fsum(values.values()) / len(values),
            seed_spread=float(np.std(means, ddof=1)) if len(means) > 1 else None,
            seeds=len(means),
            fields=len({field for field, _ in values}),
        )


def matrix(results: Results, dataset: str, score: ScoreFacts) -> Matrix | None:
    """Return the matrix of a task score; None where all models were trained on originals."""
    decoded, original = f"{score.column}/harm", f"{score.column}/baseline"
    trials = [trial for trial in tested(results, dataset) if original in trial.scores]
    if all(trial.regime == "raw" for trial in trials):
        return None
    values: dict[tuple[str, str], dict[tuple[str, int], float]] = defaultdict(dict)
    names = {t.trained_on: setting_text(t) for t in trials if t.regime == "matched"}
    for trial in trials:
        row, place = _row_name(trial, names), (trial.field, trial.seed)
        if math.isfinite(trial.scores[original]):
            values[row, ORIGINALS][place] = trial.scores[original]
        # Lossless settings decode to the originals, which have a column already.
        if trial.target and math.isfinite(trial.scores.get(decoded, math.nan)):
            values[row, setting_text(trial)][place] = trial.scores[decoded]
    rows = _originals_first([row for row, _ in values], last=MIXED)
    columns = _originals_first([column for _, column in values])
    shown = columns
    if len(columns) > MOST_COLUMNS:
        shown = tuple(c for c in columns if c == ORIGINALS or c in rows) if len(rows) > 2 else ()
        shown = shown if len(shown) > 1 else columns[:MOST_COLUMNS]
    same = [(name, name) for name in names.values() if name in shown]
    return Matrix(
        dataset=dataset,
        score=score,
        rows=rows,
        columns=shown,
        values=values,
        groups={trial.field: trial.group for trial in trials},
        matched=tuple(dict.fromkeys([(ORIGINALS, ORIGINALS), *same])),
        left_out=len(columns) - len(shown),
    )


def _row_name(trial: Trial, names: Mapping[str, str]) -> str:
    if trial.regime == "raw":
        return ORIGINALS
    return MIXED if trial.regime == "mixed" else names.get(trial.trained_on, trial.trained_on)


def _originals_first(names: Sequence[str], *, last: str = "") -> tuple[str, ...]:
    seen = dict.fromkeys(names)
    first = [name for name in (ORIGINALS,) if name in seen]
    middle = [name for name in seen if name not in (ORIGINALS, last)]
    return (*first, *middle, *(name for name in (last,) if name in seen))
