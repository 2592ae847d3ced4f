"""Run of an archive's plan: every shard written, checked and noted in the ledger; resumable."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytopress.archive import certificate, layout
from cytopress.archive.plan import FOLDER, ImagePlan, Plan, read_plan
from cytopress.archive.shard import ShardTask, tasks_of, write_shard
from cytopress.archive.sources import Source
from cytopress.batch import ledger as ledgers
from cytopress.batch.run import run as run_tasks
from cytopress.codecs.learned.codec import DIGEST_BYTES
from cytopress.codecs.learned.model.packages import find_by_digest
from cytopress.errors import StoreError, UsageError
from cytopress.lock import locked
from cytopress.models.model_package import SUFFIX
from cytopress.settings import from_environment

LEDGERS = "ledger"
LOCK = "archive.lock"
# What zarr leaves behind where a process is killed while it writes.
DEBRIS = "*.partial"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Part:
    """The ``number``-th of ``count`` parts of an archive, from 1; each has images of its own."""

    number: int = 1
    count: int = 1

    @property
    def name(self) -> str:
        """Name of its ledger and lock."""
        return f"part-{self.number}-of-{self.count}"


@dataclass(frozen=True)
class RunResult:
    """Rows of a run's shards by key; those that failed have an ``error``."""

    rows: dict[str, dict[str, Any]]
    complete: bool

    @property
    def failed(self) -> dict[str, str]:
        """Why shards could not be written, by key."""
        return {key: row["error"] for key, row in self.rows.items() if row.get("error")}


def run(
    out: Path, *, workers: int = 1, part: Part | None = None, progress: Progress | None = None
) -> RunResult:
    """Write the shards of an archive that are missing; the same call resumes.

    Raises
    ------
    StoreError
        There is no plan, another run is writing, or the folder cannot be written.
    UsageError
        A source has changed since the plan was made.
    """
    plan, mine = read_plan(out), part or Part()
    images = plan.images[mine.number - 1 :: mine.count]
    folder = out / FOLDER / LEDGERS
    folder.mkdir(exist_ok=True)
    begun = {"plan": plan.digest, "part": mine.name}
    with (
        locked(out / FOLDER, f"{mine.name}.{LOCK}", "writing the archive"),
        ledgers.opened(folder / f"{mine.name}.jsonl", begun) as book,
    ):
        if book.plan != begun:
            raise StoreError(f"{out}: its ledger {mine.name} is of another plan; use a new folder.")
        _check_sources(images)
        _carry_models(out, plan)
        layout.create(out, plan)
        for image in images:
            for stray in (out / image.name).rglob(DEBRIS):
                stray.unlink(missing_ok=True)
        _work(out, plan, images, book, workers, progress)
        complete = certificate.complete(out, plan)
        if complete:
            certificate.write(out, plan)
        return RunResult(book.rows, complete)


def all_tasks(out: Path, plan: Plan, images: tuple[ImagePlan, ...]) -> Iterator[list[ShardTask]]:
    """Yield the tasks of each resolution of all images, the full one first."""
    for level in range(max(image.levels for image in images)):
        yield [
            task
            for image in images
            if level < image.levels
            for task in tasks_of(out, image, plan.codings, plan.readers, level)
        ]


def _work(
    out: Path,
    plan: Plan,
    images: tuple[ImagePlan, ...],
    book: ledgers.Ledger,
    workers: int,
    progress: Progress | None,
) -> None:
    if not images:
        return
    whole = sum(image.raw_bytes for image in images)
    done = 0
    for tasks in all_tasks(out, plan, images):
        todo = [task for task in tasks if not _is_done(task, book.rows.get(task.key))]
        # A resolution is made from the one above, so its failures are not worked on.
        todo = [task for task in todo if not _lacks_above(task, book)]
        before = {task.key for task in tasks} - {task.key for task in todo}
        done += sum(_raw(book.rows.get(key)) for key in before if _is_full(key))
        results = run_tasks(todo, write_shard, book, processes=workers, purpose="shards")
        with closing(results) as rows:
            for row in rows:
                done += _raw(row) if _is_full(row["key"]) else 0
                if progress is not None:
                    progress(done, whole, row["key"])


def _is_full(key: str) -> bool:
    return key.split("/")[-7] == "0"


def _raw(row: dict[str, Any] | None) -> int:
    return int((row or {}).get("raw_bytes", 0))


def _is_done(task: ShardTask, row: dict[str, Any] | None) -> bool:
    if row is None or row.get("error"):
        return False
    try:
        return bool((task.out / task.key).stat().st_size == row["coded_bytes"])
    except OSError:
        return False


def _lacks_above(task: ShardTask, book: ledgers.Ledger) -> bool:
    if not task.level:
        return False
    above = f"{task.image.name}/{task.level - 1}/"
    return any(row.get("error") for key, row in book.rows.items() if key.startswith(above))


def _check_sources(images: tuple[ImagePlan, ...]) -> None:
    for image in images:
        path = Path(image.source)
        try:
            identity = Source(path, "").identity
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
        if identity != image.identity:
            raise UsageError(
                f"{path}: has changed since the plan was made; plan into a new folder."
            )


def _carry_models(out: Path, plan: Plan) -> None:
    """Copy the model packages that the codings need into the archive."""
    for sha256 in plan.models:
        target = out / FOLDER / "models" / f"{sha256}{SUFFIX}"
        if target.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        family = find_by_digest(bytes.fromhex(sha256)[:DIGEST_BYTES], from_environment())
        shutil.copyfile(family.package.path, target.with_suffix(".partial"))
        target.with_suffix(".partial").replace(target)
