"""Trials in this process, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from cytopress.study.field_inputs import read_inputs
from cytopress.study.field_job import FieldJob
from cytopress.study.run_trial import TrialResults, run_job_trial


def run_here(jobs: Sequence[FieldJob]) -> TrialResults:
    """Run trials field by field; yield the key and the result of each."""
    for job in jobs:
        inputs = read_inputs(job)
        for plan in job.plans:
            yield plan.spec.key, run_job_trial(job, plan, inputs)
