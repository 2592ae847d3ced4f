"""Execution of a study, resumable: inspect, plan, run the missing trials, time the codecs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from cytopress.callbacks import Progress, no_progress
from cytopress.codecs.targets.request import CodecRequest
from cytopress.datasets.dataset import Dataset, Field
from cytopress.errors import CytopressWarning, UsageError
from cytopress.lock import locked
from cytopress.machine import machine, versions
from cytopress.settings import Settings
from cytopress.study.facts import score_facts, task_facts
from cytopress.study.field_job import FieldJob, field_jobs
from cytopress.study.inspect_datasets import InspectedDataset, inspect_dataset, open_entry
from cytopress.study.kept_previews import with_kept_previews
from cytopress.study.late_pictures import keep_pictures
from cytopress.study.left_out import unfinished_trainings, without_missing
from cytopress.study.margin_limits import check_margin
from cytopress.study.model_variants import with_variants
from cytopress.study.plan import TrialPlan, plan
from cytopress.study.reference_scales import (
    ReferenceScales,
    earlier_scales,
    measure,
    reference_fields,
    sources_of,
)
from cytopress.study.results import Results
from cytopress.study.run_here import run_here
from cytopress.study.run_in_processes import run_in_processes
from cytopress.study.run_on_cluster import check_installed, run_on_cluster
from cytopress.study.run_trial import TrialResults
from cytopress.study.spec import Study
from cytopress.study.speed import plans_to_time, time_codec
from cytopress.study.store import Store, load_reference_scales, load_results, writing
from cytopress.study.stored_json import dump
from cytopress.study.trained_models import Trainer

LOCK = ".study.lock"


def execute(  # noqa: PLR0913 - the options of a run, and what watches it
    study: Study,
    out: Path,
    *,
    settings: Settings,
    jobs: int = 1,
    scheduler: str | None = None,
    retrain: bool = False,
    retry_failed: bool = False,
    check: Callable[[Study, Sequence[InspectedDataset], Progress], None] | None = None,
    pictured: Callable[[Results], Collection[str]] | None = None,
    progress: Progress = no_progress,
) -> Results:
    """Run a study, or the trials of it that are missing, and return its results.

    Missing models of the study are trained first, in ``out / "models"``.

    Parameters
    ----------
    study : Study
        From `load_study`.
    out : Path
        Folder of the store; made if it is missing.
    settings : Settings
        Folders of datasets and model packages.
    jobs : int, optional
        Number of processes of this machine.
    scheduler : str, optional
        Address of a dask scheduler to use instead; needs the extra dask.
    retrain : bool, optional
        Train every model anew instead of using those that are found; run again, it resumes.
    retry_failed : bool, optional
        Run every trial that failed again; otherwise only those that failed for a reason about the
        machine: a missing extra, a time limit, memory.
    check : callable, optional
        Takes the study, what it is to be run on and ``progress``, before anything is run; what it
        raises ends the run.
    pictured : callable, optional
        Takes the results, and returns the keys of trials to keep pictures of, whatever their field.
    progress : callable, optional
        Called as (done, total, what is being done now).

    Raises
    ------
    UsageError, DatasetError, PackageError
        A dataset, model or option is missing or wrong; found before any codec runs.
    StoreError
        The store is in use, of a newer version, or cannot be written.
    """
    study, left_out = without_missing(study)
    if jobs < 1 or (jobs > 1 and scheduler is not None):
        raise UsageError("give either --jobs, at least 1, or --scheduler.")
    if scheduler is not None:
        check_installed()
    # First of all, so that no two runs into one folder train the same models.
    with locked(out, LOCK, "running a study"):
        # Nothing else is written before everything has been read and checked.
        known = load_reference_scales(out)
        found = _inspect(study, settings, known, progress)
        if check is not None:
            check(study, found, progress)
        trainer = Trainer(out, settings, retrain, progress)
        inspected = [with_variants(study, one, trainer) for one in found]
        plans = plan(study, inspected)
        with writing(out) as store:
            plans = with_kept_previews(plans, inspected, store.finished(), size=study.preview_size)
            store.write_reference_scales(known)
            _describe(study, store, inspected, plans, left_out)
            alone = jobs == 1 and scheduler is None
            finished = store.finished(retry_failed=retry_failed)
            todo = field_jobs(plans, inspected, settings, done=finished, threads=0 if alone else 1)
            solved = _run(store, todo, jobs, scheduler, {one.spec.key for one in plans}, progress)
            if study.speed:
                _time_codecs(out, store, plans, solved, inspected, settings, progress)
            if pictured is not None:
                keep_pictures(
                    store,
                    plans,
                    inspected,
                    settings,
                    wanted=pictured(load_results(out)),
                    found=solved,
                    size=study.preview_size,
                    progress=progress,
                )
        return load_results(out)


def _inspect(
    study: Study, settings: Settings, known: dict[str, ReferenceScales], progress: Progress
) -> tuple[InspectedDataset, ...]:
    """Inspect every dataset; reference scales that are not ``known`` are measured and added."""
    # Everything is opened before anything is read: a misspelled task is an error at once.
    opened = [one for entry in study.datasets for one in open_entry(entry, study, settings)]
    check_margin(study, opened)
    total = sum(len(one.fields) + len(reference_fields(one.dataset)[1]) for one in opened)
    read = 0

    def step(name: str) -> None:
        nonlocal read
        read += 1
        progress(read, total, f"reading {name}")

    inspected, digests = [], dict[Path, str]()
    for one in opened:
        sources = sources_of(one.dataset, digests)
        scales = earlier_scales(sources, known)
        if scales is None:
            scales = measure(one.dataset, sources, step=step)
        elif sources.key not in known:
            text = (
                f"{one.name}: data range and noise model stay those of {scales.source}, so that"
                " only new fields are run; a new folder (--out) measures them on all."
            )
            warnings.warn(text, CytopressWarning, stacklevel=3)
        known[sources.key] = scales
        inspected.append(inspect_dataset(one, scales, step=step))
    return tuple(inspected)


def _describe(
    study: Study,
    store: Store,
    inspected: Sequence[InspectedDataset],
    plans: Sequence[TrialPlan],
    left_out: Sequence[str],
) -> None:
    """Write everything but results, and warn of models that know the fields of the study."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    store.start(started=started, machine=machine(), versions=versions())
    tasks = {task.name: task for found in inspected for task in found.tasks}
    facts = task_facts(inspected)
    for one in facts:
        if "caution" in one.summary:
            text = f"{one.name} on {one.dataset}: {one.summary['caution']}."
            warnings.warn(text, CytopressWarning, stacklevel=3)
    texts = {"name": study.name, "title": study.title, "toml": study.toml, "seed": str(study.seed)}
    texts |= {
        "margin": "" if study.margin is None else str(study.margin),
        "claims": study.claims or "",
        "left_out": dump(left_out),
        "unfinished": dump([asdict(one) for one in unfinished_trainings(study)]),
    }
    store.write_study(
        texts,
        plan=plans,
        datasets=[found.facts for found in inspected],
        tasks=facts,
        scores=score_facts(study.metrics, tasks.values(), inspected),
    )


def _run(
    store: Store,
    todo: Sequence[FieldJob],
    jobs: int,
    scheduler: str | None,
    planned: set[str],
    progress: Progress,
) -> dict[str, CodecRequest]:
    """Run and store the trials of jobs, and return their requests at the settings found."""
    found = dict[str, CodecRequest]()
    done = len(planned) - sum(len(job.plans) for job in todo)
    progress(done, len(planned), "trials")
    with closing(_results(store, todo, jobs, scheduler)) as results:
        for key, result in results:
            store.add(key, result)
            if result.again is not None:
                found[key] = result.again
            done += 1
            progress(done, len(planned), "trials")
    return found


def _results(
    store: Store, todo: Sequence[FieldJob], jobs: int, scheduler: str | None
) -> TrialResults:
    if scheduler is not None and todo:
        return run_on_cluster(todo, scheduler, store.suspects())
    if jobs > 1:
        return run_in_processes(todo, jobs)
    return run_here(todo, suspects=store.suspects(), running=store.running)


def _time_codecs(
    out: Path,
    store: Store,
    plans: Sequence[TrialPlan],
    found: Mapping[str, CodecRequest],
    inspected: Sequence[InspectedDataset],
    settings: Settings,
    progress: Progress,
) -> None:
    trials = load_results(out).trials
    sizes = {trial.key: trial.coded_bytes for trial in trials if trial.coded_bytes is not None}
    chosen = plans_to_time(plans, sizes.keys())
    fields, timed = _fields(inspected), store.timed()
    for done, one in enumerate(chosen):
        progress(done, len(chosen), f"timing {one.codec}")
        request = one.solved(found).request
        if one.spec.key not in timed and isinstance(request, CodecRequest):
            dataset, field = fields[one.dataset, one.field]
            timing = time_codec(request, dataset.read_input(field), settings=settings)
            # Those of the trial, whose header names the target too.
            timing = replace(timing, coded_bytes=sizes[one.spec.key])
            store.write_timing(one.spec.key, timing)
    progress(len(chosen), len(chosen), "timing")


def _fields(
    inspected: Sequence[InspectedDataset],
) -> Mapping[tuple[str, str], tuple[Dataset, Field]]:
    return {
        (found.facts.name, one.field.name): (found.dataset, one.field)
        for found in inspected
        for one in found.fields
    }
