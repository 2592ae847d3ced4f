"""Late pictures: those of trials that the page begins with, added at the end of a study."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from cytopress.callbacks import Progress
from cytopress.codecs.targets.request import CodecRequest
from cytopress.settings import Settings
from cytopress.study.field_inputs import read_inputs
from cytopress.study.field_job import field_jobs
from cytopress.study.inspect_datasets import InspectedDataset
from cytopress.study.plan import TrialPlan
from cytopress.study.run_trial import run_trial
from cytopress.study.store import Store


def keep_pictures(
    store: Store,
    plans: Sequence[TrialPlan],
    inspected: Sequence[InspectedDataset],
    settings: Settings,
    *,
    wanted: Collection[str],
    found: Mapping[str, CodecRequest],
    size: int,
    progress: Progress,
) -> None:
    """Code the trials with these keys again for their pictures, if the store has none.

    Nothing is measured again, and the keys of the trials stay: which fields are pictured from the
    start is part of a key, but what is worth a picture is known at the end only.

    Parameters
    ----------
    store : Store
        Of the study, open for writing.
    plans, inspected : sequence
        Every trial and dataset of the study.
    settings : Settings
        Folders of model packages.
    wanted : collection of str
        Keys of trials that gave bytes.
    found : mapping
        Requests at their settings by trial, as far as they are known; for the others a target is
        solved again.
    size : int
        Edge of a picture, in pixels.
    progress : callable
        Called as (done, total, what is being done now).
    """
    others = {plan.spec.key for plan in plans}.difference(wanted) | store.pictured()
    jobs = field_jobs(plans, inspected, settings, done=others, threads=0)
    total, done = sum(len(job.plans) for job in jobs), 0
    for job in jobs:
        inputs = read_inputs(job)
        for plan in job.plans:
            progress(done, total, f"pictures of {plan.field}")
            # The pictures are those of the first model variant.
            spec = replace(plan.spec, metrics=(), variants=plan.spec.variants[:1], preview=size)
            again = replace(plan.solved(found), spec=spec)
            result = run_trial(again, inputs, job.tasks, settings)
            store.write_previews(plan.spec.key, result.previews)
            done += 1
    if total:
        progress(total, total, "pictures")
