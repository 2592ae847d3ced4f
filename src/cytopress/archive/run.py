"""Run of an archive's plan: every shard written, checked and noted in the ledger; resumable."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from cytopress.archive import certificate, checksums, layout
from cytopress.archive.plan import PLAN, ImagePlan, Plan, read_plan
from cytopress.archive.run_progress import RunProgress
from cytopress.archive.shard import ShardTask, tasks_of, write_shard
from cytopress.archive.sources import check_unchanged
from cytopress.archive.store_keys import FOLDER
from cytopress.archive.stores import DEBRIS, Folder, Location, Store, store_of
from cytopress.atomic import UNFINISHED
from cytopress.batch.cluster import connected, run_on
from cytopress.batch.ledger import Ledger
from cytopress.batch.run import run as run_tasks
from cytopress.callbacks import Progress, no_progress
from cytopress.codecs.container.recipe import DIGEST_BYTES
from cytopress.codecs.learned.model.packages import find_by_digest
from cytopress.errors import LockHeldError, StoreError
from cytopress.models.model_package import SUFFIX
from cytopress.settings import from_environment

LOCK = "archive.lock"
DOING = "writing the archive"
# Seconds between two tries to finish, where another part is finishing.
POLL = 0.2
# Works on tasks and yields their rows.
Runner = Callable[[list[ShardTask], Ledger], Any]


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
    """Rows of a run's shards by key, with an ``error`` where one failed, and notes on the run."""

    rows: dict[str, dict[str, Any]]
    complete: bool
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> dict[str, str]:
        """Why shards could not be written, by key."""
        return {key: row["error"] for key, row in self.rows.items() if row.get("error")}


def run(
    out: Location,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    part: Part | None = None,
    progress: Progress = no_progress,
) -> RunResult:
    """Write the shards of an archive that are missing; the same call resumes.

    Parameters
    ----------
    out : Path, str or Store
        The archive: a folder, or an ``s3://`` URL.
    workers : int
        Processes of this machine.
    scheduler : str, optional
        Address of a dask scheduler whose workers write instead; they must see the same files.
    part : Part, optional
        The part to write; other processes may write the others at the same time.
    progress : callable, optional
        Called as (bytes done, all, text) after each shard.

    Raises
    ------
    StoreError
        There is no plan, another run is writing, or the archive cannot be written.
    UsageError
        A source has changed since the plan was made, or no scheduler answers.
    NotAvailableError
        The extra that a scheduler or a store needs is not installed.
    """
    store = store_of(out)
    plan, mine = read_plan(store), part or Part()
    images = plan.images[mine.number - 1 :: mine.count]
    begun = {"plan": checksums.digest(store, PLAN), "part": mine.name}
    try:
        with ExitStack() as held:
            held.enter_context(store.failures())
            held.enter_context(store.locked(f"{mine.name}.{LOCK}", DOING))
            _check_parts(store, mine)
            book = held.enter_context(store.ledger(mine.name, begun))
            if book.plan != begun:
                raise StoreError(
                    f"{store}: its ledger {mine.name} is of another plan; use a new folder."
                )
            check_unchanged(images)
            runner = held.enter_context(_runner(workers, scheduler))
            _carry_models(store, plan)
            layout.create(store, plan, images)
            worked = _work(store, plan, images, book, runner, progress)
            return RunResult(book.rows, *_finish(store, plan, worked=worked))
    except OSError as error:
        raise StoreError(f"{store}: cannot be written ({error.strerror or error}).") from error


def all_tasks(store: Store, plan: Plan, images: tuple[ImagePlan, ...]) -> Iterator[list[ShardTask]]:
    """Yield the tasks of each resolution of all images, the full one first."""
    for level in range(max((image.levels for image in images), default=0)):
        yield [
            task
            for image in images
            if level < image.levels
            for task in tasks_of(store, image, plan.codings, plan.readers, level)
        ]


@contextmanager
def _runner(workers: int, scheduler: str | None) -> Iterator[Runner]:
    """Give what works on tasks: processes of this machine, or the workers of a scheduler."""

    def here(tasks: list[ShardTask], book: Ledger) -> Any:
        return run_tasks(tasks, write_shard, book, processes=workers, purpose="shards")

    if scheduler is None:
        yield here
        return
    with connected(scheduler) as client:
        yield lambda tasks, book: run_on(client, scheduler, tasks, write_shard, book)


def _work(
    store: Store,
    plan: Plan,
    images: tuple[ImagePlan, ...],
    book: Ledger,
    runner: Runner,
    progress: Progress,
) -> bool:
    """Write what is missing; whether anything was."""
    sizes = dict(store.list())
    mine, names = ({image.name for image in some} for some in (images, plan.images))
    for key in sizes:
        if _is_debris(key) and _image_of(key, names) in mine:
            store.delete(key)
    # Workers have other working directories.
    seen = Folder(store.path.absolute()) if isinstance(store, Folder) else store
    levels = list(all_tasks(seen, plan, images))
    told = RunProgress(sum(task.raw_bytes for tasks in levels for task in tasks), progress)
    worked = False
    for tasks in levels:
        done = [task for task in tasks if _is_done(book.rows.get(task.key), sizes.get(task.key))]
        told.skip(book.rows[task.key] for task in done)
        # A resolution is made from the one above, so its failures are not worked on.
        failed = {_array(key) for key, row in book.rows.items() if row.get("error")}
        finished = {task.key for task in done}
        todo = [
            task
            for task in tasks
            if task.key not in finished and f"{task.image.name}/{task.level - 1}" not in failed
        ]
        if todo and not worked:
            # It stands for a complete archive.
            store.delete(checksums.NAME)
        worked = worked or bool(todo)
        with closing(runner(todo, book)) as rows:
            for row in rows:
                told.add(row)
    return worked


def _is_debris(key: str) -> bool:
    return key.endswith(DEBRIS) or PurePosixPath(key).name.startswith(UNFINISHED)


def _image_of(key: str, names: set[str]) -> str:
    """Return the image that a file lies in; labels lie in another one, maybe of another part."""
    return next((str(one) for one in PurePosixPath(key).parents if str(one) in names), "")


def _array(key: str) -> str:
    """Return the array of a shard: ``NAME.ome.zarr/LEVEL``."""
    return key.rsplit("/", 6)[0]


def _is_done(row: dict[str, Any] | None, size: int | None) -> bool:
    return row is not None and not row.get("error") and size == row["coded_bytes"]


def _check_parts(store: Store, mine: Part) -> None:
    """Refuse to work beside a run that divides the archive in another way."""
    locks = re.compile(rf"{FOLDER}/(part-\d+-of-(\d+)\.{re.escape(LOCK)})")
    for key, _ in store.list(FOLDER):
        found = locks.fullmatch(key)
        if found is not None and int(found[2]) != mine.count:
            with store.locked(found[1], DOING):
                pass


def _carry_models(store: Store, plan: Plan) -> None:
    """Copy the model packages that the codings need into the archive."""
    for sha256 in plan.models:
        target = f"{FOLDER}/models/{sha256}{SUFFIX}"
        if store.size(target) is None:
            family = find_by_digest(bytes.fromhex(sha256)[:DIGEST_BYTES], from_environment())
            store.write(target, family.package.path.read_bytes())


def _finish(store: Store, plan: Plan, *, worked: bool) -> tuple[bool, tuple[str, ...]]:
    """Write the certificate if the archive is complete; return that, and notes on it.

    Parts that end at once wait in turn.
    """
    if not certificate.complete(store, plan):
        return False, ()
    if not worked and store.size(checksums.NAME) is not None:
        return True, ()
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(store.locked(certificate.LOCK, "finishing the archive"))
                break
            except LockHeldError:
                time.sleep(POLL)
        for key, _ in store.list():
            if PurePosixPath(key).name.startswith(UNFINISHED):
                store.delete(key)
        note = certificate.write(store, plan)
    return True, (note,) if note else ()
