"""Batch run on the workers of a dask scheduler, of which a task that kills them costs one row."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import cytopress
from cytopress.batch.ledger import Ledger
from cytopress.batch.run import Task
from cytopress.errors import NotAvailableError, UsageError

DIED = (
    "the workers that wrote it died, several times: it may need more memory than they have, or"
    " crash a library"
)
# Tasks in flight for each worker: the one that runs and the next, as a worker that is lost makes
# all that wait on it suspect.
AT_ONCE = 2
RETRIES = 3
# Seconds to wait for a scheduler that does not answer, or that has no workers.
PATIENCE = 15.0
POLL = 0.05
# Seconds between two counts of the workers.
LOOK = 2.0
RESUME = "start it or its workers again and run the same command: it goes on where it stopped."


def client_of(address: str) -> Any:
    """Return a client of a dask scheduler.

    Raises
    ------
    UsageError
        No scheduler answers.
    NotAvailableError
        The extra dask is not installed.
    """
    try:
        return dask_distributed().Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--scheduler {address}: no dask scheduler answers there; start one with `dask"
            " scheduler` and give the address that it prints."
        ) from error


def check_versions(client: Any, address: str) -> None:
    """Raise UsageError if workers run another version, whose results may differ."""
    others = set(client.run(_version).values()) - {_version()}
    if others:
        raise UsageError(
            f"--scheduler {address}: its workers run cytopress {', '.join(sorted(others))},"
            f" this is {_version()}; install the same version everywhere."
        )


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Give a client of a dask scheduler whose workers run this version.

    Raises
    ------
    UsageError
        No scheduler answers, it has no workers, or they run another version.
    NotAvailableError
        The extra dask is not installed.
    """
    with client_of(address) as client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise UsageError(
                f"--scheduler {address}: it has no workers; start some with `dask worker"
                f" {address} --nthreads 1`."
            ) from None
        check_versions(client, address)
        yield client


def run_on(
    client: Any,
    address: str,
    tasks: Sequence[Task],
    work: Callable[[Task], Mapping[str, Any]],
    ledger: Ledger,
) -> Generator[dict[str, Any], None, None]:
    """Work on tasks on a cluster, two for each worker in flight; yield rows as they are done.

    Parameters are those of `cytopress.batch.run.run`. A task may be worked on twice, so its work
    must give the same in the end.

    Raises
    ------
    UsageError
        All workers are gone, or the scheduler is.
    StoreError
        The ledger cannot be written.
    """
    suspects = []
    for task, found in _worked(client, address, tasks, work, alone=False):
        if found.get("error") == DIED:
            suspects.append(task)
        else:
            yield _noted(task, found, ledger)
    # Tasks that only waited on workers that another killed are done alone.
    for task, found in _worked(client, address, suspects, work, alone=True):
        yield _noted(task, found, ledger)


def _noted(task: Task, found: Mapping[str, Any], ledger: Ledger) -> dict[str, Any]:
    row = {"key": task.key, "error": "", **found}
    ledger.add(row)
    return row


def _worked(
    client: Any,
    address: str,
    tasks: Sequence[Task],
    work: Callable[[Task], Mapping[str, Any]],
    *,
    alone: bool,
) -> Iterator[tuple[Task, Mapping[str, Any]]]:
    """Yield each task and what its row holds: one in flight, or two for each worker."""
    distributed = dask_distributed()
    # New names in every run: a scheduler may still hold what ended a task in the run before, and
    # another archive of the same plan has tasks of the same keys.
    name = f"cytopress-{uuid.uuid4().hex[:8]}"
    waiting = iter(tasks)
    flying: dict[str, Any] = {}
    results = distributed.as_completed(with_results=True, raise_errors=False)
    begin, looked, count = time.monotonic(), -LOOK, 1
    try:
        while True:
            if time.monotonic() - looked > LOOK:
                count, looked = len(client.nthreads()), time.monotonic()
            most = 1 if alone else max(AT_ONCE * count, 1)
            while len(flying) < most and (task := next(waiting, None)):
                future = client.submit(
                    work, task, key=f"{name}-{task.key}", pure=False, retries=RETRIES
                )
                flying[future.key] = task
                results.add(future)
            if not flying:
                return
            batch = results.next_batch(block=False)
            if batch or count:
                begin = time.monotonic()
            elif time.monotonic() - begin > PATIENCE:
                raise UsageError(f"--scheduler {address}: all workers are gone; {RESUME}")
            if not batch:
                time.sleep(POLL)
            for future, result in batch:
                yield flying.pop(future.key), _found(result, address)
    finally:
        with suppress(OSError):
            client.cancel(list(results.futures))


def _found(result: Any, address: str) -> Mapping[str, Any]:
    """Return the row of a result: of one that failed its reason, where it is the task's own."""
    if isinstance(result, Mapping):
        return result
    if not isinstance(result, tuple):
        raise UsageError(f"--scheduler {address}: it has lost the tasks; {RESUME}")
    error = result[1]
    if isinstance(error, dask_distributed().KilledWorker):
        return {"error": DIED}
    raise error.with_traceback(result[2])


def _version() -> str:
    return cytopress.__version__


def dask_distributed() -> Any:
    """Return the library; raises NotAvailableError if it is not installed."""
    try:
        import distributed
    except ImportError as error:
        raise NotAvailableError(
            "A scheduler needs dask; install the extra: pip install 'cytopress[dask]'."
        ) from error
    return distributed
