"""Export of the trial table: the columns of every trial, then one for each score."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from cytopress.atomic import atomic_file
from cytopress.errors import NotAvailableError, UsageError
from cytopress.study.results import Results
from cytopress.study.trial import COLUMNS, Trial

# Suffixes of a task score: on the original, on the decoded image, and of both against each other.
SCORE_KINDS = ("baseline", "harm", "agreement")
INTEGERS = ("bits", "seed", "raw_bytes", "coded_bytes")
FLOATS = ("target_value", "reached", "encode_s", "decode_s")


def score_columns(results: Results) -> tuple[str, ...]:
    """Return the score columns of a study: pixels, then each task's three kinds of each score."""
    columns: list[str] = []
    for score in results.scores:
        kinds = [f"{score.column}/{kind}" for kind in SCORE_KINDS] if score.task else [score.column]
        columns += kinds
    return tuple(columns)


def export(results: Results, path: Path) -> None:
    """Write the trial table to ``path``, as CSV or Parquet by its suffix; whole or not at all.

    A missing value is empty (CSV) or null (Parquet); infinite values are ``inf`` and
    ``-inf``.

    Raises
    ------
    UsageError
        The suffix is not one of these, or the folder is missing.
    NotAvailableError
        Parquet is asked for and pyarrow is not installed.
    """
    writers = {".csv": _write_csv, ".parquet": _write_parquet}
    if path.suffix not in writers:
        raise UsageError(f"{path}: the suffix of a table is .csv or .parquet; choose one.")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: the folder {path.parent} is not there; make it first.")
    with atomic_file(path) as temporary:
        writers[path.suffix](results.trials, score_columns(results), temporary)


def _value(trial: Trial, column: str) -> object:
    return getattr(trial, column) if column in COLUMNS else trial.scores.get(column)


def _write_csv(trials: Sequence[Trial], scores: Sequence[str], path: Path) -> None:
    columns = (*COLUMNS, *scores)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_value(trial, column) for column in columns] for trial in trials)


def _write_parquet(trials: Sequence[Trial], scores: Sequence[str], path: Path) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise NotAvailableError(
            "Parquet needs pyarrow; install the extra: pip install 'cytopress[parquet]'."
        ) from error
    columns = {}
    for column in (*COLUMNS, *scores):
        kind = pa.string()
        if column in INTEGERS:
            kind = pa.int64()
        elif column in FLOATS or column in scores:
            kind = pa.float64()
        columns[column] = pa.array([_value(trial, column) for trial in trials], kind)
    parquet.write_table(pa.table(columns), path)
