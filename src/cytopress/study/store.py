"""Store of a study: one SQLite file with one writer and any reader, whole after a kill."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from cytopress.statistics.margin import parse_margin
from cytopress.study import stored_json
from cytopress.study.connection import connect_to_read, connect_to_write
from cytopress.study.noise_replicates import CAMERA
from cytopress.study.pictures import pack_picture, unpack_picture
from cytopress.study.plan import TrialPlan
from cytopress.study.reference_scales import ReferenceScales
from cytopress.study.results import DatasetFacts, Results, ScoreFacts, TaskFacts
from cytopress.study.run_trial import TrialResult
from cytopress.study.schema import (
    FILE,
    NOT_BEGUN,
    NotBegunError,
    errors_as_sentences,
    version_of,
)
from cytopress.study.speed import Timing
from cytopress.study.trial import Preview


class Store:
    """A store open for writing, from `writing`. Every method writes all or nothing."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with errors_as_sentences(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def start(
        self, *, started: str, machine: Mapping[str, str], versions: Mapping[str, str]
    ) -> None:
        """Add a run: when it started, on which machine, with which versions."""
        with self._transaction() as db:
            row = (started, stored_json.dump(dict(machine)), stored_json.dump(dict(versions)))
            db.execute("INSERT INTO runs VALUES (?, ?, ?)", row)

    def write_study(
        self,
        texts: Mapping[str, str],
        *,
        plan: Sequence[TrialPlan],
        datasets: Sequence[DatasetFacts],
        tasks: Sequence[TaskFacts],
        scores: Sequence[ScoreFacts],
    ) -> None:
        """Write the study; its plan takes the place of the plan before."""
        values = {
            **texts,
            "datasets": stored_json.dump_datasets(datasets),
            "tasks": stored_json.dump([asdict(facts) for facts in tasks]),
            "scores": stored_json.dump([asdict(facts) for facts in scores]),
        }
        rows = [(i, p.spec.key, stored_json.dump_names(p)) for i, p in enumerate(plan)]
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO study VALUES (?, ?)", values.items())
            db.execute("DELETE FROM plan")
            db.executemany("INSERT INTO plan VALUES (?, ?, ?)", rows)

    def finished(self, *, retry_failed: bool = False) -> set[str]:
        """Return the keys of trials that need no other run.

        Those that failed for a reason about the machine need one; with ``retry_failed`` all that
        failed.
        """
        with errors_as_sentences(self._path):
            rows = self._connection.execute(
                "SELECT key, outcome FROM trials WHERE key NOT IN (SELECT key FROM retry)"
            ).fetchall()
        return {key for key, result in rows if not (retry_failed and stored_json.failed(result))}

    @contextmanager
    def running(self, key: str) -> Iterator[None]:
        """Mark a trial as begun for as long as the block runs; the mark outlives a crash."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO begun VALUES (?)", (key,))
        try:
            yield
        finally:
            with self._transaction() as db:
                db.execute("DELETE FROM begun WHERE key = ?", (key,))

    def suspects(self) -> set[str]:
        """Return the keys of trials that a process began and did not end."""
        with errors_as_sentences(self._path):
            return {key for (key,) in self._connection.execute("SELECT key FROM begun")}

    def add(self, key: str, result: TrialResult) -> None:
        """Write a trial's result with its pictures, in place of an earlier one.

        Equal pictures are stored once.
        """
        packed = _packed(result.previews)
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO trials VALUES (?, ?)",
                (key, stored_json.dump_result(result)),
            )
            for mark, marked in (("retry", result.retry), ("begun", result.died)):
                db.execute(f"DELETE FROM {mark} WHERE key = ?", (key,))
                if marked:
                    db.execute(f"INSERT INTO {mark} VALUES (?)", (key,))
            _write_previews(db, key, packed)

    def pictured(self) -> set[str]:
        """Return the keys of trials with pictures."""
        with errors_as_sentences(self._path):
            return {key for (key,) in self._connection.execute("SELECT key FROM previews")}

    def write_previews(self, key: str, previews: Sequence[Preview]) -> None:
        """Write the pictures of a trial, in place of earlier ones; equal ones are stored once."""
        packed = _packed(previews)
        with self._transaction() as db:
            _write_previews(db, key, packed)

    def write_reference_scales(self, known: Mapping[str, ReferenceScales]) -> None:
        """Write reference scales, by the digests of what they were measured on."""
        rows = [
            (sources, stored_json.dump_reference_scales(found)) for sources, found in known.items()
        ]
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO yardsticks VALUES (?, ?)", rows)

    def timed(self) -> set[str]:
        """Return the keys of trials that the speed pass has timed."""
        with errors_as_sentences(self._path):
            return {key for (key,) in self._connection.execute("SELECT key FROM speeds")}

    def write_timing(self, key: str, timing: Timing) -> None:
        """Write the timing of a trial's codec."""
        with self._transaction() as db:
            row = (key, stored_json.dump_timing(timing))
            db.execute("INSERT OR REPLACE INTO speeds VALUES (?, ?)", row)


def _packed(previews: Sequence[Preview]) -> list[tuple[Preview, str, bytes]]:
    return [(shown, *pack_picture(shown.image)) for shown in previews]


def _write_previews(
    db: sqlite3.Connection, key: str, packed: Sequence[tuple[Preview, str, bytes]]
) -> None:
    db.execute("DELETE FROM previews WHERE key = ?", (key,))
    for position, (shown, digest, data) in enumerate(packed):
        db.execute("INSERT OR IGNORE INTO pictures VALUES (?, ?)", (digest, data))
        db.execute(
            "INSERT OR REPLACE INTO previews VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, position, shown.kind, shown.task, digest, *stored_json.place_of(shown)),
        )


@contextmanager
def writing(folder: Path) -> Iterator[Store]:
    """Open the store in a folder that is locked; it is made if it is missing.

    Raises
    ------
    StoreError
        A newer version wrote it, or it cannot be used.
    """
    path = folder / FILE
    with errors_as_sentences(path), closing(connect_to_write(path)) as connection:
        yield Store(connection, path)


def load_reference_scales(folder: Path) -> dict[str, ReferenceScales]:
    """Read the reference scales that a study measured before; none if there is no store yet.

    Raises
    ------
    StoreError
        A newer version wrote the store, or it is not a store.
    """
    path = folder / FILE
    try:
        with errors_as_sentences(path), closing(connect_to_read(path)) as db:
            rows = db.execute("SELECT sources, value FROM yardsticks").fetchall()
    except NotBegunError:
        return {}
    return {sources: stored_json.reference_scales_of(value) for sources, value in rows}


def load_results(folder: Path) -> Results:
    """Read a study back, finished or not; trials that the plan no longer holds stay out.

    Raises
    ------
    StoreError
        There is no study in the folder, or a newer version wrote it.
    """
    path = folder / FILE
    with errors_as_sentences(path), closing(connect_to_read(path)) as db:
        texts = dict(db.execute("SELECT name, value FROM study"))
        if not texts:
            raise NotBegunError(f"{path}: {NOT_BEGUN}")
        planned = db.execute("SELECT count(*) FROM plan").fetchone()[0]
        rows = db.execute(
            "SELECT key, names, outcome FROM plan JOIN trials USING (key) ORDER BY position"
        ).fetchall()
        runs = db.execute("SELECT started, machine, versions FROM runs ORDER BY rowid").fetchall()
        speeds = db.execute(
            "SELECT names, value, min(position) FROM plan JOIN speeds USING (key) GROUP BY key"
            " ORDER BY min(position)"
        ).fetchall()
    trials = [trial for row in rows for trial in stored_json.trials_of(*row)]
    return Results(
        name=texts["name"],
        title=texts["title"],
        spec_toml=texts["toml"],
        seed=int(texts["seed"]),
        created=runs[0][0],
        trials_done=len(rows),
        trials_planned=planned,
        machine=_together([json.loads(machine) for _, machine, _ in runs]),
        versions=_together([json.loads(versions) for _, _, versions in runs]),
        datasets=stored_json.datasets_of(texts["datasets"]),
        tasks=stored_json.tasks_of(texts["tasks"]),
        scores=stored_json.scores_of(texts["scores"]),
        trials=tuple(trial for trial in trials if trial.codec != CAMERA),
        noise_replicates=tuple(trial for trial in trials if trial.codec == CAMERA),
        speeds=tuple(stored_json.speed_of(names, value) for names, value, _ in speeds),
        previews=lambda key: _load_previews(path, key),
        # Stores of earlier versions have none.
        margin=parse_margin(texts["margin"]) if texts.get("margin") else None,
        unfinished=stored_json.unfinished_of(texts.get("unfinished", "[]")),
        left_out=tuple(json.loads(texts.get("left_out", "[]"))),
        claims=texts.get("claims", ""),
    )


def _together(tables: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Join the facts of several runs: every value of each, in order."""
    names = dict.fromkeys(name for table in tables for name in table)
    return {
        name: ", then ".join(dict.fromkeys(table[name] for table in tables if name in table))
        for name in names
    }


def _load_previews(path: Path, key: str) -> tuple[Preview, ...]:
    with errors_as_sentences(path), closing(connect_to_read(path)) as db:
        place = "section, crossing" if version_of(db) > 1 else "'XY', ''"
        query = (
            f"SELECT kind, task, data, {place} FROM previews JOIN pictures USING (digest)"
            " WHERE key = ? ORDER BY position"
        )
        return tuple(
            Preview(
                kind=kind,
                task=task,
                image=unpack_picture(data),
                section=section,
                cross=stored_json.cross_of(crossing),
            )
            for kind, task, data, section, crossing in db.execute(query, (key,))
        )
