"""Trials on the workers of a dask scheduler."""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from typing import Any

from cytopress.batch.cluster import check_versions, client_of, dask_distributed
from cytopress.errors import UsageError
from cytopress.study.field_job import FieldJob
from cytopress.study.run_in_worker import run_single_trial
from cytopress.study.run_trial import TrialResult, TrialResults

DIED = (
    "the workers that ran this trial died, and once more when it was tried alone: it may need more"
    " memory than they have, or crash a library; the next run of the study tries it again."
)
# Seconds to wait for a scheduler that does not answer, or that has lost its workers.
PATIENCE = 15
# Seconds between two looks for results.
POLL = 0.05
RESUME = (
    "start it or its workers again, with more memory if that was the reason, and run the same"
    " command: the study goes on where it stopped."
)


def check_installed() -> None:
    """Raise NotAvailableError if dask is not installed."""
    dask_distributed()


def run_on_cluster(
    jobs: Sequence[FieldJob], address: str, suspects: AbstractSet[str] = frozenset()
) -> TrialResults:
    """Run trials on the workers of a dask scheduler; they must see the same files as this process.

    If a worker dies, others repeat the trials that it was running. A trial that several workers
    died of is tried once more, with no other one beside it, before it counts as failed. Those whose
    keys are among ``suspects``, since a process may have died of them, run in this way at once.

    Raises
    ------
    UsageError
        No scheduler answers at the address, its workers run another version or are all gone, or it
        has lost the trials.
    NotAvailableError
        The extra dask is not installed.
    """
    client = client_of(address)
    with client, closing(_results(client, jobs, address, suspects)) as results:
        check_versions(client, address)
        yield from results


def _results(
    client: Any, jobs: Sequence[FieldJob], address: str, suspects: AbstractSet[str]
) -> TrialResults:
    singles = [trial for job in jobs for trial in job.single_trials()]
    # New names in every run: a scheduler may still hold what ended a task in the run before.
    run = uuid.uuid4().hex[:8]
    trials = {f"cytopress-{run}-{trial.plans[0].spec.key}": trial for trial in singles}
    fatal = [name for name, trial in trials.items() if trial.plans[0].spec.key in suspects]
    together = {name: trial for name, trial in trials.items() if name not in fatal}
    for name, result in _as_they_come(client, together, address):
        if result is None:
            fatal.append(name)
        else:
            yield trials[name].plans[0].spec.key, result
    # Trials that only waited on a worker that died are blamed as well.
    for name in fatal:
        for _, result in _as_they_come(client, {f"{name}-alone": trials[name]}, address):
            died = TrialResult(error=DIED, retry=True, died=True)
            yield trials[name].plans[0].spec.key, died if result is None else result


def _as_they_come(
    client: Any, trials: Mapping[str, FieldJob], address: str
) -> Generator[tuple[str, TrialResult | None], None, None]:
    """Yield the names of trials with their results, None for one that the workers died of."""
    distributed = dask_distributed()
    futures = client.map(run_single_trial, list(trials.values()), key=list(trials))
    results = distributed.as_completed(futures, with_results=True, raise_errors=False)
    # as_completed holds each future until it is done; this name would hold them all to the end.
    del futures
    try:
        while not results.is_empty():
            for future, result in _next(client, results):
                # The future itself may be computed again already, if its worker died since.
                if isinstance(result, TrialResult):
                    yield future.key, result
                elif not isinstance(result, tuple):
                    raise UsageError(f"--scheduler {address}: it has lost the trials; {RESUME}")
                elif isinstance(result[1], distributed.KilledWorker):
                    yield future.key, None
                else:
                    raise result[1].with_traceback(result[2])
    except _NoWorkersError:
        if len(trials) > 1:
            raise UsageError(f"--scheduler {address}: all workers are gone; {RESUME}") from None
        yield from dict.fromkeys(trials).items()
    finally:
        client.cancel(list(results.futures))


class _NoWorkersError(Exception):
    """There have been no workers for some time, though there were some."""


def _next(client: Any, results: Any) -> list[tuple[Any, Any]]:
    """Return the results that have come, at least one."""
    begin, gone = time.monotonic(), 0.0
    while not (batch := results.next_batch(block=False)):
        time.sleep(POLL)
        if time.monotonic() - begin < PATIENCE / 5:
            continue
        begin, waited = time.monotonic(), time.monotonic() - begin
        gone = 0.0 if client.scheduler_info()["workers"] else gone + waited
        if gone > PATIENCE:
            raise _NoWorkersError
    return list(batch)
