"""Trials in several processes of this machine.

Each process works on a field of its own, so a field's images are read and its originals predicted
once. A process that dies costs one trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from cytopress.batch.processes import in_processes
from cytopress.study.field_job import FieldJob
from cytopress.study.run_in_worker import run_single_trial
from cytopress.study.run_trial import TrialResult, TrialResults

DIED = (
    "the process that ran this trial died, and once more when it was tried alone: it may need more"
    " memory than there is, or crash a library; the next run of the study tries it again."
)


def run_in_processes(jobs: Sequence[FieldJob], processes: int) -> TrialResults:
    """Run trials in processes with one thread each; yield the key and the result of each.

    Raises
    ------
    UsageError
        A process cannot be started.
    """
    fields = (job.single_trials() for job in jobs)
    with closing(in_processes(fields, run_single_trial, processes, purpose="trials")) as results:
        for job, result in results:
            died = TrialResult(error=DIED, retry=True, died=True)
            yield job.plans[0].spec.key, died if result is None else result
