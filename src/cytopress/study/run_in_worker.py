"""Single trials in a worker process, with the inputs of its recent fields kept."""

from __future__ import annotations

import functools

from cytopress.study.field_inputs import RecentInputs
from cytopress.study.field_job import FieldJob
from cytopress.study.run_trial import TrialResult, run_job_trial


@functools.cache
def _recent() -> RecentInputs:
    return RecentInputs()


def run_single_trial(job: FieldJob) -> TrialResult:
    """Run the only trial of a job; what its field needs is made unless it is here already."""
    (plan,) = job.plans
    return run_job_trial(job, plan, _recent())
