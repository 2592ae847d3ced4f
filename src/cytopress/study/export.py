"""Export of the trial table: the columns of every trial, then one for each score."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from cytopress.atomic import atomic_file
from cytopress.errors import NotAvailableError, UsageError
from cytopress.study.results import Results
from cytopress.study.trial import COLUMNS, Trial

# Suffixes of a task score: on the original, on the decoded image, and of both against each other.
SCORE_KINDS = ("baseline", "harm", "agreement")
INTEGERS = ("bits", "seed", "raw_bytes", "coded_bytes")
# End of the names of added columns that hold words.
VERDICT = "/verdict"
FLOATS = ("target_value", "reached", "encode_s", "decode_s")


def score_columns(results: Results) -> tuple[str, ...]:
    """Return the score columns of a study: pixels, then each task's three kinds of each score."""
    columns: list[str] = []
    for score in results.scores:
        kinds = [f"{score.column}/{kind}" for kind in SCORE_KINDS] if score.task else [score.column]
        columns += kinds
    return tuple(columns)


def export(
    results: Results, path: Path, *, added: Mapping[str, Sequence[float | str | None]] | None = None
) -> None:
    """Write the trial table to ``path``, as CSV or Parquet by its suffix; whole or not at all.

    ``added`` are columns for the end of the table, with a value for each trial. A missing value is
    empty (CSV) or null (Parquet); infinite values are ``inf`` and ``-inf``.

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
    names = (*COLUMNS, *score_columns(results))
    table: dict[str, Sequence[object]] = {
        name: [_value(trial, name) for trial in results.trials] for name in names
    }
    table |= added or {}
    with atomic_file(path) as temporary:
        writers[path.suffix](table, temporary)


def _value(trial: Trial, column: str) -> object:
    return getattr(trial, column) if column in COLUMNS else trial.scores.get(column)


def _write_csv(table: Mapping[str, Sequence[object]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))


def _write_parquet(table: Mapping[str, Sequence[object]], path: Path) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise NotAvailableError(
            "Parquet needs pyarrow; install the extra: pip install 'cytopress[parquet]'."
        ) from error

    def kind(column: str) -> pa.DataType:
        if column in INTEGERS:
            return pa.int64()
        texts = (column in COLUMNS and column not in FLOATS) or column.endswith(VERDICT)
        return pa.string() if texts else pa.float64()

    columns = {name: pa.array(list(values), kind(name)) for name, values in table.items()}
    parquet.write_table(pa.table(columns), path)
