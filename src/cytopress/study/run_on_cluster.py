"""Trials on the workers of a dask scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import cytopress
from cytopress.errors import NotAvailableError, UsageError
from cytopress.study.field_job import FieldJob
from cytopress.study.run_in_worker import run_single_trial
from cytopress.study.run_trial import TrialResults

# Seconds to wait for a scheduler that does not answer.
PATIENCE = 15


def check_installed() -> None:
    """Raise NotAvailableError if dask is not installed."""
    _distributed()


def run_on_cluster(jobs: Sequence[FieldJob], address: str) -> TrialResults:
    """Run trials on the workers of a dask scheduler; they must see the same files as this process.

    If a worker dies, others repeat the trials that it was running.

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
    with client, closing(_results(client, jobs)) as results:
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


def _results(client: Any, jobs: Sequence[FieldJob]) -> TrialResults:
    trials = [trial for job in jobs for trial in job.single_trials()]
    keys = {f"cytopress-{trial.plans[0].spec.key}": trial.plans[0].spec.key for trial in trials}
    futures = client.map(run_single_trial, trials, key=list(keys))
    results = _distributed().as_completed(futures, with_results=True)
    # as_completed holds each future until it is done; these names would hold them all to the end.
    del futures, trials
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
            "A scheduler needs dask; install the extra: pip install 'cytopress[dask]'."
        ) from error
    return distributed
