"""Where cells are done: in this process, in several of this machine, or on a cluster that runs."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any

import cytopress
from cytopress.errors import NotAvailableError, UsageError
from cytopress.study.field_inputs import FieldJob, Materials, run_job
from cytopress.study.run_trial import TrialResult

TrialResults = Generator[tuple[str, TrialResult], None, None]
# Seconds until a scheduler that does not answer is given up.
PATIENCE = 15
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


def check_installed(jobs: int, scheduler: str | None) -> None:
    """Raise NotAvailableError if what is asked for needs dask and it is not installed."""
    if jobs > 1 or scheduler is not None:
        _distributed()


def done_here(jobs: Sequence[FieldJob]) -> TrialResults:
    """Do cells one after the other in this process; yield each one's key and outcome."""
    field_inputs = Materials()
    for job in jobs:
        yield job.trial_spec.key, run_job(job, field_inputs)


def done_by_processes(jobs: Sequence[FieldJob], processes: int) -> TrialResults:
    """Do cells in ``processes`` processes of this machine, one thread each.

    Raises
    ------
    NotAvailableError
        The extra dask is not installed.
    """
    distributed = _distributed()
    with (
        distributed.LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            processes=True,
            # Of its own, and seen by this machine alone: another study may run beside this one.
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            env=ONE_THREAD,
        ) as cluster,
        distributed.Client(cluster) as client,
        closing(_done_by(client, jobs)) as results,
    ):
        yield from results


def done_by_cluster(jobs: Sequence[FieldJob], address: str) -> TrialResults:
    """Do cells on the workers of a dask scheduler; they must see the same files as this process.

    A worker that dies costs the cells it was doing, which others do again.

    Raises
    ------
    UsageError
        No scheduler answers at the address, or its workers run another version.
    NotAvailableError
        The extra dask is not installed.
    """
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--scheduler {address}: no dask scheduler answers there; start one with `dask"
            " scheduler` and give the address that it prints."
        ) from error
    with client, closing(_done_by(client, jobs)) as results:
        _check_workers(client, address)
        yield from results


def _check_workers(client: Any, address: str) -> None:
    """Refuse workers of another version: their trials would be measured in another way."""
    others = {found for found in client.run(_version).values() if found != _version()}
    if others:
        raise UsageError(
            f"--scheduler {address}: its workers run cytopress {', '.join(sorted(others))}, this is"
            f" {_version()}; install the same version everywhere."
        )


def _version() -> str:
    return cytopress.__version__


def _done_by(client: Any, jobs: Sequence[FieldJob]) -> TrialResults:
    futures = client.map(run_job, jobs, key=[f"cytopress-{job.trial_spec.key}" for job in jobs])
    keys = {future.key: job.trial_spec.key for future, job in zip(futures, jobs, strict=True)}
    results = _distributed().as_completed(futures, with_results=True)
    # as_completed holds each future until it is done; this list would hold them all to the end.
    del futures
    try:
        for future, result in results:
            yield keys[future.key], result
    finally:
        client.cancel(list(results.futures))


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise NotAvailableError(
            "Several processes need dask; install the extra: pip install 'cytopress[dask]'."
        ) from error
    return distributed
