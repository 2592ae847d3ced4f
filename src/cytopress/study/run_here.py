"""Trials in this process, one after the other.

A trial that an earlier process died of is run in a process of its own, so that it costs no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from cytopress.study.field_inputs import RecentInputs
from cytopress.study.field_job import FieldJob
from cytopress.study.run_in_processes import run_in_processes
from cytopress.study.run_trial import TrialResults, run_job_trial


def run_here(
    jobs: Sequence[FieldJob],
    *,
    suspects: set[str],
    running: Callable[[str], AbstractContextManager[None]],
) -> TrialResults:
    """Run trials field by field; yield the key and the result of each.

    Parameters
    ----------
    jobs : sequence of FieldJob
        The trials.
    suspects : set of str
        Keys of trials that a process may have died of.
    running : callable
        Makes a context, from a trial's key, that it runs in; an exit without a result is noted.
    """
    trials = [trial for job in jobs for trial in job.single_trials()] if suspects else []
    suspicious = [trial for trial in trials if trial.plans[0].spec.key in suspects]
    if suspicious:
        yield from run_in_processes(suspicious, 1)
    recent = RecentInputs(kept=1)
    for job in jobs:
        for plan in job.plans:
            key = plan.spec.key
            if key not in suspects:
                with running(key):
                    result = run_job_trial(job, plan, recent)
                yield key, result
