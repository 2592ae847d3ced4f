"""Execute a study: the only loop. Survey, plan, do what is not done, time the codecs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cytopress.datasets.dataset import Dataset, Field
from cytopress.errors import CytopressWarning, UsageError
from cytopress.machine import machine, versions
from cytopress.settings import Settings
from cytopress.study.executors import (
    TrialResults,
    check_installed,
    done_by_cluster,
    done_by_processes,
    done_here,
)
from cytopress.study.facts import score_facts, task_facts
from cytopress.study.field_inputs import FieldJob, pinned
from cytopress.study.inspect_datasets import InspectedDataset, inspect_datasets, open_entry
from cytopress.study.model_variants import Trainer, with_variants
from cytopress.study.plan import TrialPlan, plan
from cytopress.study.reference_scales import (
    ReferenceScales,
    digest_sources,
    measure,
    reference_fields,
)
from cytopress.study.results import Results
from cytopress.study.spec import Study
from cytopress.study.speed import plans_to_time, time_codec
from cytopress.study.store import Store, load_reference_scales, load_results, writing

# Called with how much is done, of how much, and what is being done now.
Progress = Callable[[int, int, str], None]


def execute(
    study: Study,
    out: Path,
    *,
    settings: Settings,
    jobs: int = 1,
    scheduler: str | None = None,
    retrain: bool = False,
    progress: Progress | None = None,
) -> Results:
    """Run a study, or what is left of it, and return its results.

    Models that the study asks for and nobody has are trained first, in ``out / "models"``.

    Parameters
    ----------
    study : Study
        From `load_study`.
    out : Path
        Folder of the store; made where there is none.
    settings : Settings
        Where datasets and model packages are.
    jobs : int, optional
        Processes of this machine that work at once; above 1 needs the extra dask.
    scheduler : str, optional
        Address of a dask scheduler to use instead.
    retrain : bool, optional
        Train every model anew instead of using those that are found; run again, it resumes.
    progress : callable, optional
        Called as (done, total, what is being done now).

    Raises
    ------
    UsageError, DatasetError, PackageError
        What the study rests on is missing or wrong; found before any codec runs.
    StoreError
        The store is in use, of a newer version, or cannot be written.
    """
    if jobs < 1 or (jobs > 1 and scheduler is not None):
        raise UsageError("give either --jobs, at least 1, or --scheduler.")
    progress = progress or _silent
    check_installed(jobs, scheduler)
    # Nothing is written before all that the study rests on has been read and found good.
    known = load_reference_scales(out)
    trainer = Trainer(out, settings, retrain, progress)
    inspected = [
        with_variants(study, found, trainer) for found in _survey(study, settings, known, progress)
    ]
    planned = plan(study, [found.subject for found in inspected], settings)
    with writing(out) as store:
        store.write_reference_scales(known)
        _describe(study, store, inspected, planned)
        everyone = 1 if jobs > 1 or scheduler is not None else 0
        todo = _jobs(planned, inspected, settings, done=store.finished(), threads=everyone)
        total = len({row.trial_spec.key for row in planned})
        with closing(_done(todo, jobs, scheduler)) as results:
            progress(total - len(todo), total, "trials")
            for done, (key, result) in enumerate(results, total - len(todo) + 1):
                store.add(key, result)
                progress(done, total, "trials")
        if study.speed:
            _time_codecs(out, store, planned, inspected, settings, progress)
    return load_results(out)


def _survey(
    study: Study, settings: Settings, known: dict[str, ReferenceScales], progress: Progress
) -> tuple[InspectedDataset, ...]:
    """Survey every dataset; what is not in ``known`` is measured and put there."""
    # Everything is opened before anything is read: a misspelled task is told at once.
    opened = [open_entry(entry, study, settings) for entry in study.datasets]
    total = sum(len(one.fields) + len(reference_fields(one.dataset)[1]) for one in opened)
    read = 0

    def step(name: str) -> None:
        nonlocal read
        read += 1
        progress(read, total, f"reading {name}")

    inspected = []
    for one in opened:
        sources = digest_sources(one.dataset)
        if sources not in known:
            known[sources] = measure(one.dataset, step=step)
        inspected.append(inspect_datasets(one, known[sources], step=step))
    return tuple(inspected)


def _describe(
    study: Study, store: Store, inspected: Sequence[InspectedDataset], planned: Sequence[TrialPlan]
) -> None:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    store.start(started=started, machine=machine(), versions=versions())
    tasks = {task.name: task for found in inspected for task in found.tasks}
    told = task_facts(inspected)
    for one in told:
        if "caution" in one.summary:
            text = f"{one.name} on {one.dataset}: {one.summary['caution']}."
            warnings.warn(text, CytopressWarning, stacklevel=3)
    store.write_study(
        {"name": study.name, "title": study.title, "toml": study.toml, "seed": str(study.seed)},
        plan=planned,
        datasets=[found.subject.facts for found in inspected],
        tasks=told,
        scores=score_facts(study.metrics, tasks.values(), inspected),
    )


def _jobs(
    planned: Sequence[TrialPlan],
    inspected: Sequence[InspectedDataset],
    settings: Settings,
    *,
    done: set[str],
    threads: int,
) -> list[FieldJob]:
    """Return what is left to do, each cell once."""
    fields = _fields(inspected)
    tasks = {
        (found.subject.facts.name, variant.tasks): pinned(predicting, threads)
        for found in inspected
        for variant, predicting in zip(found.subject.variants, found.variants, strict=True)
    }
    jobs: dict[str, FieldJob] = {}
    for row in planned:
        key = row.trial_spec.key
        if key not in done and key not in jobs:
            dataset, field = fields[row.dataset, row.field]
            variants = tuple(
                tasks[row.dataset, variant.tasks] for variant in row.trial_spec.variants
            )
            jobs[key] = FieldJob(
                row.trial_spec, replace(dataset, fields=()), field, variants, settings
            )
    return list(jobs.values())


def _fields(
    inspected: Sequence[InspectedDataset],
) -> Mapping[tuple[str, str], tuple[Dataset, Field]]:
    return {
        (found.subject.facts.name, field.name): (found.dataset, field)
        for found in inspected
        for field in found.dataset.fields
    }


def _done(todo: Sequence[FieldJob], jobs: int, scheduler: str | None) -> TrialResults:
    if scheduler is not None and todo:
        return done_by_cluster(todo, scheduler)
    return done_here(todo) if jobs == 1 or not todo else done_by_processes(todo, jobs)


def _time_codecs(
    out: Path,
    store: Store,
    planned: Sequence[TrialPlan],
    inspected: Sequence[InspectedDataset],
    settings: Settings,
    progress: Progress,
) -> None:
    usable = {trial.key for trial in load_results(out).trials if trial.coded_bytes is not None}
    chosen = plans_to_time(planned, usable)
    fields, timed = _fields(inspected), store.timed()
    for done, row in enumerate(chosen):
        progress(done, len(chosen), f"timing {row.codec}")
        if row.trial_spec.key not in timed:
            dataset, field = fields[row.dataset, row.field]
            timing = time_codec(row.trial_spec.spec, dataset.read_input(field), settings=settings)
            store.write_timing(row.trial_spec.key, timing)
    progress(len(chosen), len(chosen), "timing")


def _silent(done: int, total: int, now: str) -> None:
    """Say nothing."""
